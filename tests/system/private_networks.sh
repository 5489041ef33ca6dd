# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The machine is in its company's VPN, which takes all private networks. A link finds a subnet all the
# same, one that the profile names below a wider route is as good, and what is really taken is refused, with words
# that help.
WEB4=http://203.0.113.10/
comes_up() {
  "$TUNNEL" prepare one && tunnel_run one && wait_until 10 tunnel_up one
}
subnet() { ip -n one -o -4 address show dev uplink | awk '{ print $4 }'; }
# good WHAT: up, and applications are online.
good() {
  check "$1: the tunnel comes up" comes_up
  is "$1: applications are online" "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
}
# refused WHAT REGEX: the companion says so, with what to do; nothing is left.
refused() {
  tunnel_prepare one
  attempt timeout 30 "$TUNNEL" run one
  ERR=$(tail -n 2 <<<"$ERR")
  is "$1: refused" "$STATUS" 1
  complains "$1" "$2"
  "$TUNNEL" release one
}

profile_one
good 'with nothing in the way'
like 'with nothing in the way: a private subnet' "$(subnet)" '^10\.213\.'
tunnel_release one

# --- the company's routes, in the main table ---
for network in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16; do
  ip route add "$network" via 192.168.77.1
done
snapshot before
good 'all private networks routed elsewhere'
like 'all private networks routed elsewhere: nobody loses an address' "$(subnet)" '^198\.19\.'
tunnel_release one
unchanged_since before 'after release'
ip route add 198.18.0.0/15 via 192.168.77.1
good 'and that one, too'
like 'and that one, too: below a wider route' "$(subnet)" '^10\.213\.'
tunnel_release one
profile one '[link]' 'subnet = "10.213.7.0/30"'
good 'a subnet of the profile below a wider route'
is 'a subnet of the profile below a wider route: it is that' "$(subnet)" 10.213.7.2/30
tunnel_release one

# --- what is really taken ---
ip route add 10.213.7.2/32 via 192.168.77.1
refused 'a narrower route in it' 'the subnet 10\.213\.7\.0/30 is taken: 10\.213\.7\.2/32'
ip route del 10.213.7.2/32
profile one '[link]' 'subnet = "192.168.77.0/30"'
refused 'the machine'"'"'s own address in it' 'the subnet 192\.168\.77\.0/30 is taken: 192\.168\.77\.[12]/32'
profile one # what the hint says
good 'with "auto", as the hint says'
tunnel_release one

# --- a VPN of the machine that routes by rules: strongSwan's table 220 is asked before the main table ---
for network in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15; do
  ip route del "$network" via 192.168.77.1
done
ip route add 10.0.0.0/8 via 192.168.77.1 table 220
ip rule add from all lookup 220 prio 220
good 'a table that a rule asks first'
unlike 'a table that a rule asks first: the subnet is outside of it' "$(subnet)" '^10\.'
tunnel_release one
ip rule del from all lookup 220 prio 220

# It comes while the tunnel is up: said, and a restart is enough.
ip route del 10.0.0.0/8 table 220
good 'before such a VPN'
like 'before such a VPN: a subnet that it will take' "$(subnet)" '^10\.213\.'
ip route add 10.0.0.0/8 via 192.168.77.1 table 220
ip rule add from all lookup 220 prio 220
server_silent
within 20 'the server is lost' eval '! tunnel_has_route one'
server_talks
within 20 'the status says who routes the link away' grep -Eq "subnet 10\.213\.[0-9.]+/30 elsewhere on 'up0', by a rule" \
  /run/vpnrun/one/state.json
like 'and what to do' "$(vpnrunctl status one)" 'vpnrunctl restart one'
check 'which helps' vpnrunctl restart one
within 15 'the tunnel is up' tunnel_up one
is 'applications are online' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
tunnel_release one
