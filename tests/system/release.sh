# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Undoing: after every way to get there, release leaves the machine as it was.
release_and_compare() {
  check "$1: release works" "$TUNNEL" release one
  check "$1: twice is not an error" "$TUNNEL" release one
  unchanged_since before "$1"
}

profile_one
snapshot before
check 'release without prepare is not an error' "$TUNNEL" release one
unchanged_since before 'release without prepare'

tunnel_prepare one
check 'prepare twice is not an error' "$TUNNEL" prepare one
release_and_compare 'prepare only'

tunnel_start one
kill_hard "${TUNNEL_PID[one]}"
wait_until 5 gone "${TUNNEL_PID[one]}"
wait_until 5 eval '! clients'
release_and_compare 'after a companion killed with -9'

tunnel_start one
tunnel_stop one
check 'prepare over what an earlier life left' "$TUNNEL" prepare one
tunnel_start one
is 'and the tunnel works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
tunnel_stop one
release_and_compare 'a second life'

tunnel_start one
background "$LAB/log/app-sleep" by alice vpnrun sleep 60
APP=$BACKGROUND
within 5 'an application runs' eval "[ \"\$(cat /proc/$APP/comm)\" = sleep ]"
tunnel_stop one
capture_start
attempt nsenter --net="/proc/$APP/ns/net" -- curl -s -m 2 http://203.0.113.10/
is 'the companion stopped, its application is offline' "$((STATUS != 0))" 1
check 'release under a running application works' "$TUNNEL" release one
attempt nsenter --net="/proc/$APP/ns/net" -- curl -s -m 2 http://203.0.113.10/
is 'and it stays offline' "$((STATUS != 0))" 1
capture_stop
# What the server still sends to a client that is gone, the machine itself answers with "port unreachable".
empty 'nothing of it left the machine' "$(capture_stray "$CAPTURE_REFUSAL")"
kill "$APP"
within 5 'the application ends' gone "$APP"
unchanged_since before 'release under a running application'

# Nothing is recorded that was not switched on.
FORWARDING=/proc/sys/net/ipv4/conf/up0/forwarding
tunnel_prepare one
mount --bind "$FORWARDING" "$FORWARDING"
mount -o remount,bind,ro "$FORWARDING"
tunnel_run one
within 10 'where forwarding cannot be switched on, the tunnel says so' \
  grep -q "cannot set 'net/ipv4/conf/up0/forwarding': Read-only" "$LAB/log/tunnel-one"
tunnel_stop one
check 'released, it is not an error' "$TUNNEL" release one
umount "$FORWARDING"
unchanged_since before 'a tunnel that could not forward'
