# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The tunnel's unit: confined, watched, restarted ever more slowly, with a reason; what the host changes arrives
# in the applications' view all the same.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

service_property() { inside systemctl show --property="$1" --value vpnrun@one.service; }
companion() { service_property MainPID; }
another_companion() { unit_is active vpnrun@one.service && [[ $(companion) != @(0|"$1") ]]; }
signal() { inside systemctl kill --kill-whom=main --signal="$1" vpnrun@one.service; }

check 'the package is installed' machine_install
machine_profile one
check 'the tunnel starts' inside timeout 20 systemctl start vpnrun@one
is 'and is up when systemctl returns' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
is 'alice outside is outside' "$(as_user alice curl -sS -m 5 $WEB4)" 203.0.113.1

empty 'systemd finds nothing wrong with the units' "$(inside systemd-analyze verify --man=no \
  vpnrun@one.service vpnrun-netns@one.service vpnrun@one.socket vpnrun.target 2>&1)"
empty 'nor with the one for users' "$(as_user alice systemd-analyze verify --user --man=no vpnrun-app@true.service 2>&1)"

# --- status and log ---
like 'systemctl status says what it does' "$(inside systemctl status vpnrun@one)" \
  'Status: "up by 198\.51\.100\.10:1194/udp; address 10\.8\.0\.[0-9]+/24, fd00:8::[0-9a-f]+/64; names by 10\.8\.0\.1"'
is 'one line for each change of state' "$(journal -u vpnrun@one -o cat _TRANSPORT=stdout |
  grep -c "^'one' is")" 2
is 'with the level of information' "$(journal -u vpnrun@one -o json _TRANSPORT=stdout |
  grep -c '"PRIORITY":"6"')" "$(journal -u vpnrun@one -o cat _TRANSPORT=stdout | grep -c '')"

# --- confinement ---
exposure() { inside systemd-analyze security --no-pager "$1" | sed -n 's/^→ Overall exposure level for [^:]*: \([0-9.]*\) .*/\1/p'; }
ours=$(exposure vpnrun@one.service)
theirs=$(exposure openvpn-client@one.service)
# Without PrivateTmp=, which counts 0.2: see the unit. For what it has instead there is no point.
is "exposure $ours is at most 3.8" "$(awk -v x="$ours" 'BEGIN { print (x != "" && x <= 3.8) }')" 1
is "and less than openvpn-client@'s $theirs" "$(awk -v x="$ours" -v y="$theirs" 'BEGIN { print (y != "" && x < y) }')" 1
in_unit() { nsenter -t "$(companion_outside)" -m -- "$@"; }
# The companion's pid as the lab counts.
companion_outside() { pgrep -f '^[^ ]*vpnrun-tunnel run one'; }
attempt in_unit sh -c ': >/etc/vpnrun/written'
is 'it cannot write to /etc' "$STATUS-$([ -e "$MACHINE/etc/vpnrun/written" ] && echo written)" 2-
attempt in_unit sh -c 'ls /root /dev/fuse'
is 'it sees neither home folders nor devices' "$((STATUS != 0))" 1
like 'it has the capabilities that it needs and no other' \
  "$(grep CapBnd "/proc/$(companion_outside)/status")" '^CapBnd:.00000000002c11e0$'

client=$(clients)
is 'its client is a user of its own' "$(awk '/^(Uid|Gid):/ { print $2 }' "/proc/$client/status" | sort -u)" 60706
is 'with no right' "$(awk '/^Cap/ { print $2 }' "/proc/$client/status" | sort -u)" 0000000000000000
is 'alone' "$(awk '/^NSpid:/ { print $NF }' "/proc/$client/status")" 1

# --- names, for everybody ---
inside systemd-run --quiet --unit=private -p PrivateMounts=yes -p ProtectSystem=strict -p PrivateTmp=yes \
  sleep infinity
private=$(inside systemctl show --property=MainPID --value private)
like 'ip netns list has it' "$(inside ip netns list)" '^one'
like 'also in a unit with mounts of its own' "$(inside nsenter -t "$private" -m ip netns list)" '^one'
is 'ip netns exec goes through the tunnel' "$(inside ip netns exec one curl -s -m 5 $WEB4)" $THROUGH
is 'in that unit as well' "$(inside nsenter -t "$private" -m ip netns exec one curl -s -m 5 $WEB4)" $THROUGH
inside systemctl stop vpnrun@one vpnrun-netns@one
unlike 'released, the name is gone' "$(inside ip netns list)" one
unlike 'there as well' "$(inside nsenter -t "$private" -m ip netns list)" one
printf '%s\n' '[namespace]' 'name_host = "default"' >>"$PROFILES/one.toml"
inside timeout 20 systemctl start vpnrun@one
like 'made again, it is seen by a unit that was there before' "$(inside nsenter -t "$private" -m ip netns list)" '^one'
is "the machine's own namespace has a name on demand" \
  "$(inside ip netns exec one ip netns exec default curl -s -m 5 $WEB4)" 203.0.113.1
like 'in every mount namespace' "$(inside nsenter -t "$private" -m ip netns list)" default
inside systemctl stop vpnrun-netns@one
is 'and loses it with the profile' "$(inside ip netns list)" ''
sed -i '/^\[namespace\]/,$d' "$PROFILES/one.toml"
inside timeout 20 systemctl start vpnrun@one

# --- what the host changes arrives, though the companion is confined ---
# shellcheck disable=SC2016
background "$LAB/log/app-writer" as_user alice vpnrun bash -c 'echo $$ >~/pid
  while :; do { cat /etc/resolv.conf; ls /run; [ ! -d /run/later ] || touch /run/later/by-alice; } >~/seen.new 2>&1
    mv ~/seen.new ~/seen; sleep 0.05; done'
within 5 'an application runs inside' test -s "$MACHINE/home/alice/seen"
APP=$(cat "$MACHINE/home/alice/pid")
like 'with the resolver of the tunnel' "$(cat "$MACHINE/home/alice/seen")" 'nameserver 10\.8\.0\.1'
inside sh -c 'echo "nameserver 192.168.77.1" >/etc/resolv.conf.new; mv /etc/resolv.conf.new /etc/resolv.conf
  install -d -o alice /run/later; install -d /run/nscd'
within 5 'a folder of /run that came later is there' grep -q '^later$' "$MACHINE/home/alice/seen"
within 5 'as writable as it is outside' test -e "$MACHINE/run/later/by-alice"
within 5 'the resolver is still the one of the tunnel' grep -q 'nameserver 10.8.0.1' "$MACHINE/home/alice/seen"
unlike 'a folder of a name daemon is not' "$(cat "$MACHINE/home/alice/seen")" nscd

# --- the profile changes ---
is 'bob is not admitted' "$(as_user bob vpnrun curl -sS -m 5 $WEB4 2>/dev/null)" ''
sed -i 's/^users = .*/users = ["alice", "bob"]/' "$PROFILES/one.toml"
check 'reload applies who is admitted' inside systemctl reload vpnrun-netns@one
is 'bob is, now' "$(as_user bob vpnrun curl -sS -m 5 $WEB4)" $THROUGH
is 'under running applications' "$(inside cat "/proc/$APP/comm")" bash
is 'in the same namespace' "$(inside stat -L -c %i "/proc/$APP/ns/net")" "$(inside stat -L -c %i /run/netns/one)"

# --- restarts ---
before=$(companion)
capture_start
check 'systemctl restart under a running application' inside timeout 20 systemctl restart vpnrun@one
check 'daemon-reload' inside systemctl daemon-reload
within 10 'up again' machine_tunnel_up one
is 'another companion' "$([ "$(companion)" != "$before" ] && echo yes)" yes
is 'the same application' "$(inside cat "/proc/$APP/comm")" bash
is 'and it is still behind the tunnel' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH

printf '%s\n' '[Service]' 'WatchdogSec=2s' >"$LAB/tmp/quick.conf"
put "$LAB/tmp/quick.conf" /etc/systemd/system/vpnrun@one.service.d/quick.conf
inside systemctl daemon-reload
inside timeout 20 systemctl restart vpnrun@one
before=$(companion)
signal STOP
within 20 'one that hangs is ended by the watchdog, and restarted' another_companion "$before"
like 'the journal says so' "$(journal -u vpnrun@one)" 'Watchdog timeout'
before=$(companion)
signal SEGV
within 20 'one that crashes is restarted' another_companion "$before"
capture_stop
# What the host itself tells the server whose client is gone does not come from an application.
empty 'nothing left outside of the tunnel in all that' \
  "$(capture_stray "$CAPTURE_ONE")"

# --- failures in a row ---
# The two before count: four in a row are started again at once, the next ones wait before they begin.
waits() { [[ $(service_property StatusText) == 'its companion has failed 5 times in a row, the last time: '* ]]; }
for _ in 1 2; do
  pid=$(companion)
  signal ABRT
  within 20 'it is started again' another_companion "$pid"
done
within 20 'and up' machine_tunnel_up one
signal ABRT
within 20 'after the fifth failure in a row the next one waits' waits
attempt as_user alice timeout 20 vpnrun curl -s -m 5 $WEB4
is 'a launch fails then' "$STATUS" 125
complains 'and says what the companion died of' 'the last time: the companion was killed by signal (ABRT|SIGABRT|6); the next attempt begins'
like 'and what helps' "$ERR" "systemctl restart vpnrun@one' tries it at once"
within 30 'but it comes back by itself' machine_tunnel_up one
is 'it works again' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
signal ABRT
within 20 'the next one waits again' eval '[[ $(service_property StatusText) == *" failed 6 times in a row"* ]]'
check 'what the hint says helps at once' inside timeout 20 systemctl restart vpnrun@one
is 'it works then' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
pid=$(companion)
signal ABRT
within 20 'and those before are forgotten' another_companion "$pid"
within 20 'up again' machine_tunnel_up one
rm "$MACHINE/etc/systemd/system/vpnrun@one.service.d/quick.conf"
inside systemctl daemon-reload

# --- links are left alone by others ---
link=$(inside ip -o link show | sed -n 's/.*\(vr-one\)@.*/\1/p')
is 'the link is there' "$link" vr-one
mac() { inside cat /sys/class/net/vr-one/address; }
before=$(mac)
like 'udev marks it for NetworkManager' "$(inside udevadm test-builtin net_id /sys/class/net/vr-one 2>&1
  inside udevadm test /sys/class/net/vr-one 2>&1)" 'NM_UNMANAGED=1'
is 'and keeps its address, by which its other end knows it' "$(mac)" "$before"
# udev replaces an address that the kernel has drawn (MACAddressPolicy=persistent in systemd.link(5)), and
# none that was set: 3 is NET_ADDR_SET, 1 is NET_ADDR_RANDOM. `udevadm test-builtin` does so up to systemd 256.
is 'to udev it was set, and is not to be replaced' "$(inside cat /sys/class/net/vr-one/addr_assign_type)" 3
inside ip link add control type veth peer name control-peer
is 'control: that of any other link is' "$(inside cat /sys/class/net/control/addr_assign_type)" 1
inside ip link delete control
is 'it works after that' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
inside ip link set vr-one address 02:00:00:00:00:01
within 10 'and when somebody gives it another one after all' eval '[ "$(as_user alice vpnrun curl -s -m 3 $WEB4)" = $THROUGH ]'
check 'systemd-networkd runs' inside systemctl start systemd-networkd
like 'and does not manage it' "$(inside networkctl list --no-legend vr-one)" 'unmanaged'
is 'it still works then' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
inside systemctl stop systemd-networkd.socket systemd-networkd

# --- root's own orders ---
inside systemctl stop vpnrun@one.socket vpnrun@one.service vpnrun-netns@one.service
check 'vpnrunctl up starts what is not there' inside timeout 20 vpnrunctl up one
is 'and it works' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
check 'the socket is made again under it' inside systemctl restart vpnrun@one.socket
within 20 'and the tunnel is back' machine_tunnel_up one
like 'at that socket' "$(as_user alice vpnrunctl status one)" 'state +up'
is 'and works again' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
check 'released by hand' inside timeout 20 /usr/libexec/vpnrun/vpnrun-tunnel release one
is 'the units know' "$(inside systemctl is-active vpnrun-netns@one.service vpnrun@one.service vpnrun@one.socket | xargs)" \
  'inactive inactive inactive'
check 'so that it can be started again' inside timeout 20 systemctl start vpnrun@one
is 'and works as before' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
inside systemctl stop vpnrun-netns@one.service
server_silent
attempt inside timeout 20 vpnrunctl up --wait 2 one
is 'a server that does not answer is a failure' "$STATUS" 1
like 'with the reason' "$ERR" 'still starting after 2 s'
server_talks

# --- an administrator's defaults for all units (systemd 258; others warn of the line) ---
printf '%s\n' '[Manager]' DefaultRestrictSUIDSGID=yes >"$LAB/tmp/defaults.conf"
put "$LAB/tmp/defaults.conf" /etc/systemd/system.conf.d/defaults.conf
inside systemctl daemon-reexec
inside systemctl stop vpnrun@one.socket vpnrun@one.service vpnrun-netns@one.service
check 'it starts whatever DefaultRestrictSUIDSGID= says' inside timeout 20 systemctl start vpnrun@one
is 'and works' "$(inside ip netns exec one curl -sS -m 5 $WEB4)" $THROUGH
inside rm /etc/systemd/system.conf.d/defaults.conf
inside systemctl daemon-reexec

# --- all together ---
inside systemctl stop vpnrun.target
within 10 'stopping it stops every tunnel' unit_is inactive vpnrun@one.service
check 'and the socket' unit_is inactive vpnrun@one.socket
