# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The booted machine itself: what the scenarios rely on.
WEB4=http://203.0.113.10/

is 'the machine has booted' "$(inside systemctl is-system-running)" running
is 'with systemd as PID 1' "$(inside cat /proc/1/comm)" systemd
is 'and control groups of its own' "$(inside stat -f -c %T /sys/fs/cgroup)" cgroup2fs
is 'it is on the net' "$(inside curl -s -m 5 $WEB4)" 203.0.113.1
for program in vpnrun openvpn nft; do
  attempt inside which "$program"
  is "it has no $program" "$OUT" ''
done
check 'there is a tun device' inside sh -c ': <>/dev/net/tun'

is 'alice has a session' "$(as_user alice sh -c 'echo $USER $XDG_RUNTIME_DIR $PWD')" 'alice /run/user/1000 /home/alice'
user_manager alice
is 'and a service manager' "$(as_user alice systemctl --user is-system-running)" running
is 'that runs her units' "$(as_user alice systemd-run --user --quiet --pipe --wait whoami)" alice
attempt as_user bob false
is 'a command'"'"'s exit status comes out' "$STATUS" 1

capture_start
attempt as_user bob curl -s -m 5 $WEB4
is 'a user is on the net' "$OUT" 203.0.113.1
capture_stop
like 'and the capture sees it' "$(capture_stray)" '192\.168\.77\.2\.[0-9]+ > 203\.0\.113\.10\.80'

attempt inside sh -c 'echo 1 >/proc/sys/kernel/sysrq'
is 'the real machine'"'"'s settings cannot be changed inside' "$((STATUS != 0))" 1
attempt inside ls /sys/power/state
is 'nor its power' "$((STATUS != 0))" 1

inside sh -c 'echo kept >/var/lib/kept; echo lost >/run/lost; echo lost >/tmp/lost'
inside ip link add left type veth peer name right
machine_reboot
is 'a reboot keeps the disk' "$(inside cat /var/lib/kept)" kept
attempt inside ls /run/lost /tmp/lost
is 'and nothing else' "$OUT" ''
unlike 'no interface either' "$(inside ip -o link show)" left
is 'the machine is as before' "$(inside systemctl is-system-running)" running
is 'and on the net' "$(inside curl -s -m 5 $WEB4)" 203.0.113.1
machine_crash
machine_boot
is 'it comes back after a crash' "$(inside systemctl is-system-running)" running
