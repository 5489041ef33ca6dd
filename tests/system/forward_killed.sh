# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A companion that was killed leaves the uplink forwarding. The next one guards it from its first moment,
# also while it finds no server; and if there is to be no next one, `ended` (ExecStopPost=) takes it back.
UP0=net.ipv4.conf.up0.forwarding
forwarding() { sysctl -n "$UP0"; }
index() { cat /sys/class/net/vr-one/ifindex; }
# forwarded: how many of twenty packets that a neighbour hands to the machine for somebody else go on.
forwarded() {
  local each
  capture_start
  for each in {1..20}; do
    echo x | on router socat -u - UDP4:203.0.113.99:4800
  done
  capture_stop
  capture_count 'udp dst port 4800'
}

# loaded CHAIN: how many transactions have made the profile's rules again, and those of CHAIN.
loaded() {
  awk -v others="add rule inet vpnrun_links $1 " '
    /^# new generation/ { count += own && other; own = other = 0 }
    /^add rule inet vpnrun_links from-one / { own = 1 }
    index($0, others) == 1 { other = 1 }
    END { print count + (own && other) }' "$LAB/log/monitor"
}

profile_one
snapshot before
on router ip route add 203.0.113.99/32 via 192.168.77.2 dev r-host
tunnel_start one
is 'the tunnel has switched forwarding on' "$(forwarding)" 30322
is 'a neighbour'"'"'s packets are not forwarded' "$(forwarded)" 0

kill_hard "${TUNNEL_PID[one]}"
is 'killed: nor now' "$(forwarded)" 0
cp -p "$PROFILES/one.ovpn" "$LAB/tmp/one.ovpn"
sed 's/^remote .*/remote nobody.invalid 1194/' "$LAB/tmp/one.ovpn" >"$PROFILES/one.ovpn"
FORMER=$(index)
background "$LAB/log/monitor" stdbuf -oL nft monitor
MONITOR=$BACKGROUND
within 5 'every filter that is loaded is written down' \
  eval 'nft add table ip probe && nft delete table ip probe && grep -q probe "$LAB/log/monitor"'
tunnel_run one
within 15 'the next companion has made the link again' eval '[ "$(index)" != "$FORMER" ]'
is 'forwarding is still on' "$(forwarding)" 30322
is 'without a server it is guarded' "$(forwarded)" 0
kill "$MONITOR"
like 'filters were loaded' "$(loaded from-one)" '^[1-9]'
is 'each of them with the guard, the first too' "$(loaded unasked)" "$(loaded from-one)"
like 'by a filter that names the uplink' "$(nft list set inet vpnrun_links guarded)" 'elements = { "up0" }'

kill_hard "${TUNNEL_PID[one]}"
nft delete table inet vpnrun_links
is 'control, killed for good and the firewall flushed: all are forwarded' "$(forwarded)" 20
check 'what systemd runs after a kill' env SERVICE_RESULT=signal EXIT_STATUS=KILL "$TUNNEL" ended one
is 'it has switched forwarding off' "$(forwarding)" 0
is 'and nothing is forwarded any longer' "$(forwarded)" 0
attempt ip link show vr-one
is 'the link is gone' "$STATUS" 1
like 'the namespace is sealed' "$(ip netns exec one nft list ruleset)" 'policy drop'

cp -p "$LAB/tmp/one.ovpn" "$PROFILES/one.ovpn"
tunnel_run one
within 15 'a start that follows is up' tunnel_up one
check 'it does nothing to a companion that lives' env SERVICE_RESULT=signal EXIT_STATUS=KILL "$TUNNEL" ended one
is 'forwarding is on' "$(forwarding)" 30322
is 'and the application is online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
tunnel_release one
is 'after release it is off' "$(forwarding)" 0
unchanged_since before 'after release'
