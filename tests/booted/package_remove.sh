# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Removed, installed again and purged, with a tunnel up and an application in it; with systemd and
# without.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

apt() { inside env DEBIAN_FRONTEND=noninteractive apt-get -qq --yes "$@" </dev/null >"$LAB/log/apt" 2>&1; }
# Every file of the disk but logs and what apt, dpkg and systemd keep for themselves.
files() {
  (cd "$DISK" && find . -xdev \( -path ./var/log -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
    -o -path ./var/lib/systemd -o -path ./tmp -o -path ./run -o -path ./var/tmp \) -prune -o -printf '%p %M %u:%g %l\n') | sort
}
network() {
  ip -o link show | awk -F '[:@ ]+' '{ print $2 }'
  ip rule
  ip route
  nft list ruleset
  cat /proc/sys/net/ipv4/ip_forward
  inside ip netns list
  inside sh -c 'ls -A /run | grep vpnrun; pgrep -x openvpn; pgrep vpnrun-tunnel; grep vpnrun /proc/1/mountinfo' || return 0
}
# online PID: whether a process in the network of PID reaches the web.
online() { nsenter --net="/proc/$1/ns/net" -- curl -s -m 2 $WEB4; }
application() {
  rm -f "$LAB/log/app-loop" # what an earlier one said is not what this one says
  # shellcheck disable=SC2016  # expanded by the application
  background "$LAB/log/app-loop" as_user alice vpnrun sh -c 'echo $$; exec sleep 1000'
  wait_until 5 grep -q . "$LAB/log/app-loop"
  APP=$(head -n 1 "$LAB/log/app-loop")
  # The shell that has told its number is about to become it.
  wait_until 5 eval '[ "$(inside cat "/proc/$APP/comm")" = sleep ]'
  APP_HERE=$(pgrep -f '^sleep 1000' | tail -n 1)
}

files >"$LAB/tmp/files.before"
network >"$LAB/tmp/network.before"

machine_install
machine_profile one
check 'a tunnel is enabled and started' inside systemctl enable --now vpnrun@one.service vpnrun@one.socket
is 'it works' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
application
is 'an application is online' "$(online "$APP_HERE")" $THROUGH
printf '[Service]\nExecStart=/bin/sleep 1000000\n' >"$LAB/tmp/some.service"
put "$LAB/tmp/some.service" /etc/systemd/system/some.service
inside systemctl daemon-reload
check 'a service is attached to it' inside vpnrunctl attach some one
inside systemctl start some
is 'and runs inside' "$(inside readlink "/proc/$(inside systemctl show -P MainPID some)/ns/net")" \
  "$(inside ip netns exec one readlink /proc/self/ns/net)"

# A chroot, of another system on the same disk for instance, has the machine's own /run and processes.
inside mkdir -p /run/other/upper /run/other/work /run/other/root
inside mount -t overlay overlay -o lowerdir=/,upperdir=/run/other/upper,workdir=/run/other/work /run/other/root
inside mount --bind /run /run/other/root/run
inside mount --bind /proc /run/other/root/proc
for script in 'prerm remove' 'postrm remove'; do
  check "vpnrun.$script works in a chroot" inside sh -c \
    "chroot /run/other/root /var/lib/dpkg/info/vpnrun.$script >/run/other/said 2>&1 || { cat /run/other/said; exit 1; }"
  is "and $script leaves the machine's tunnel alone" "$(online "$APP_HERE")" $THROUGH
done
check 'with its locks' inside test -e /run/vpnrun/.one.run
inside umount /run/other/root/proc /run/other/root/run /run/other/root
inside rm -r /run/other

# What could not be taken back: its record stays, and is no reason to stop half-way.
inside mkdir -p /run/vpnrun/.client-gone
inside touch /run/vpnrun/.opened-gone
capture_start
check 'removed' apt remove vpnrun
is 'records of what is left stay' "$(inside ls -A /run/vpnrun | xargs)" '.client-gone .opened-gone'
inside rm -r /run/vpnrun
like 'it names what is attached to a profile' "$(cat "$LAB/log/apt")" 'some\.service is attached'
check 'which stays' inside test -e /etc/systemd/system/some.service.d/zz-vpnrun.conf
attempt inside systemctl start some
is 'and no longer starts' "$((STATUS != 0)) $(inside systemctl show -P MainPID some)" '1 0'
is 'the application still runs' "$(inside cat "/proc/$APP/comm")" sleep
attempt online "$APP_HERE"
is 'offline' "$STATUS $OUT" "7 "
empty 'nothing but it is left' "$(network | diff "$LAB/tmp/network.before" -)"
is 'no unit is' "$(inside systemctl list-units --all --plain --no-legend --state=active,failed 'vpnrun*')" ''
check 'the profile is kept' inside test -s /etc/vpnrun/profiles/one.toml

check 'installed again' machine_install
is 'nothing is started' "$(inside systemctl is-active vpnrun@one.service vpnrun@one.socket | xargs)" 'inactive inactive'
check 'the tunnel can be' inside systemctl start vpnrun@one
check 'and so can the attached service' inside systemctl restart some
is 'and works' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
attempt online "$APP_HERE"
is 'the old application stays offline' "$STATUS $OUT" "7 "
inside kill "$APP"
application
is 'a new one is online' "$(online "$APP_HERE")" $THROUGH

check 'purged' apt purge vpnrun
attempt online "$APP_HERE"
is 'the application is offline' "$STATUS $OUT" "7 "
capture_stop
empty 'at no time did anything stray leave the machine' "$(capture_stray "$CAPTURE_ONE")"
inside kill "$APP"
empty 'no network of it is left' "$(network | diff "$LAB/tmp/network.before" -)"
is 'the attached service does not run' "$(inside systemctl show -P MainPID some)" 0
inside rm -r /etc/systemd/system/some.service /etc/systemd/system/some.service.d
inside systemctl daemon-reload
inside systemctl reset-failed
files >"$LAB/tmp/files.after"
empty 'no file is left' "$(diff "$LAB/tmp/files.before" "$LAB/tmp/files.after")"
is 'but the user and the group' "$(inside sh -c 'getent passwd vpnrun; getent group vpnrun' | cut -d : -f 1 | xargs)" 'vpnrun vpnrun'
is 'the machine is well' "$(inside systemctl is-system-running)" running
is 'dpkg has forgotten it' "$(inside sh -c 'dpkg -l | grep vpnrun; ls /var/lib/dpkg/info | grep vpnrun' | xargs)" ''

# The same where systemd is installed but not running: a container, a chroot.
machine_poweroff
cat >"$LAB/tmp/bare" <<'END'
set -eu
umount -l /mnt
mount --make-rshared /
export DEBIAN_FRONTEND=noninteractive
apt-get -qq --yes install /var/tmp/vpnrun.deb
install -m 0600 /var/tmp/one.ovpn /etc/vpnrun/profiles/one.ovpn
install -m 0644 /var/tmp/one.toml /etc/vpnrun/profiles/one.toml
/usr/libexec/vpnrun/vpnrun-tunnel prepare one
/usr/libexec/vpnrun/vpnrun-tunnel run one >/run/log 2>&1 &
for _ in $(seq 100); do
  ! grep -q '"state": *"up"' /run/vpnrun/one/state.json || break
  sleep 0.1
done
setpriv --reuid=alice --regid=alice --init-groups -- env HOME=/home/alice vpnrun curl -s -m 5 http://203.0.113.10/
apt-get -qq --yes remove vpnrun
echo "companions: $(pgrep -c vpnrun-tunnel)"
echo "names: $(ls -A /run | grep -x vpnrun) $(ip netns list)"
apt-get -qq --yes purge vpnrun
END
put_disk() { install -D -m 0600 "$1" "$DISK/var/tmp/$2"; }
PROFILES=$LAB/tmp profile_one
put_disk "$LAB/tmp/one.ovpn" one.ovpn
put_disk "$LAB/tmp/one.toml" one.toml
put_disk "$PACKAGE" vpnrun.deb
chmod 0644 "$DISK/var/tmp/vpnrun.deb"
# shellcheck disable=SC2016  # expanded inside
attempt unshare -m -p -f --kill-child -- bash -euc 'cd "$1"
  mount -t proc proc proc
  mount --rbind /dev dev
  mount -t sysfs sysfs sys
  mount -t tmpfs -o mode=0755 run run
  cp "$2/bare" run/bare
  pivot_root . mnt
  exec chroot . /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /run/bare' bare "$DISK" "$LAB/tmp"
is 'without a running systemd it is installed, used, removed and purged' "$STATUS" 0
[ "$STATUS" = 0 ] || printf '%s\n' "$OUT" "$ERR" | sed 's/^/# /'
like 'its tunnel worked' "$OUT" "$THROUGH"
like 'the removal ended the companion' "$OUT" 'companions: 0'
like 'and released the namespaces' "$OUT" 'names:  *$'
is 'no rule is left' "$(nft list ruleset)" ''
files >"$LAB/tmp/files.after"
empty 'and no file' "$(diff "$LAB/tmp/files.before" "$LAB/tmp/files.after")"
machine_boot
