# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Each guard holds alone: routes, the filter inside, the filter of the host. They are taken away by
# root's hand while vpnrun-tunnel is frozen; with the last one gone the capture sees what it would have
# seen all along if an application had leaked.
WEB4=http://203.0.113.10/
inside() { nsenter --net=/run/vpnrun/one/netns -- "$@"; }
# leak_attempt WHAT: an application tries; nothing must come of it.
leak_attempt() {
  capture_start
  attempt inside by alice curl -s -m 1 $WEB4
  is "$1: no answer" "$OUT" ''
  attempt inside by alice bash -c 'echo leak >/dev/udp/203.0.113.10/5300; echo leak >/dev/udp/192.168.77.1/53'
  capture_stop
  empty "$1: nothing left the machine" "$(capture_stray "$CAPTURE_ONE")"
}

profile_one
tunnel_start one
GATEWAY=$(ip -n one route show table all 198.51.100.10 | awk '{ print $3 }')
inside nft list table inet vpnrun >"$LAB/tmp/guard.inside"
kill -STOP "${TUNNEL_PID[one]}"

ip -n one route replace default via "$GATEWAY" dev uplink
leak_attempt 'with a default route over the uplink'
nft list table inet vpnrun_links >"$LAB/tmp/guard.outside"
nft delete table inet vpnrun_links
nft -f - <<'END'
table inet meddler {
  chain hide { type nat hook postrouting priority 100; oifname "up0" masquerade; }
}
END
sysctl -qw net.ipv4.ip_forward=1
leak_attempt 'with the host forwarding whatever comes, too'
nft -f "$LAB/tmp/guard.outside"
inside nft delete table inet vpnrun
leak_attempt 'with the host'"'"'s filter only'
nft delete table inet vpnrun_links

capture_start
attempt inside by alice curl -s -m 3 $WEB4
is 'with no guard at all the application gets out' "$OUT" 203.0.113.1
capture_stop
like 'and the capture sees it' "$(capture_stray "$CAPTURE_ONE")" '> 203\.0\.113\.10\.80'

kill -CONT "${TUNNEL_PID[one]}"
nft delete table inet meddler
sysctl -qw net.ipv4.ip_forward=0
tunnel_release one
