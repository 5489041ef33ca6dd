# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The main job: an admitted user is behind the tunnel, nobody else is, and the machine stays as it was.

WEB4=http://203.0.113.10/
WEB6='http://[2001:db8:cb::10]/'

# A machine with a firewall and a name service of its own.
nft -f - <<'END'
table inet firewall {
  chain input { type filter hook input priority 0; policy accept; ct state invalid drop; }
  chain forward { type filter hook forward priority 0; policy accept; }
}
END
profile_one

host_facts() {
  ip -o -4 address show up0
  ip -o -6 address show up0
  ip route show | grep -v ' dev vr-'
  ip -6 route show | grep -v ' dev vr-'
  ip rule
  ip -6 rule
  nft list table inet firewall
  nft list tables | grep -v vpnrun
  cat /etc/resolv.conf /etc/nsswitch.conf
  sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.lo.forwarding
}

snapshot before
host_facts >"$LAB/tmp/facts.before"
capture_start
tunnel_start one
pass 'the tunnel comes up' "after $WAITED ms"

is 'an admitted user is seen at the tunnel over IPv4' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
empty 'no end of the link has an IPv6 address' \
  "$(ip -6 -o address show dev vr-one; ip -6 -n one -o address show dev uplink)"
is 'and neither speaks ARP' \
  "$({ ip -o link show dev vr-one; ip -n one -o link show dev uplink; } | grep -c '<.*\bNOARP\b.*>')" 2
is 'and over IPv6' "$(by alice vpnrun curl -s -m 5 "$WEB6")" 2001:db8:51::10
is 'by name as well' "$(by alice vpnrun -p one -- curl -s -4 -m 5 http://web.example/)" 198.51.100.10
capture_stop
empty 'meanwhile nothing but the tunnel left the machine' "$(capture_stray "$CAPTURE_ONE")"

is 'without vpnrun the same user has the machine'"'"'s address' "$(by alice curl -s -m 5 $WEB4)" 203.0.113.1
host_facts >"$LAB/tmp/facts.after"
is 'addresses, routes, firewall and name service of the machine are untouched' \
  "$(diff "$LAB/tmp/facts.before" "$LAB/tmp/facts.after")" ''

is 'inside, vpnrun just runs the command' "$(by alice vpnrun vpnrun -p one curl -s -m 5 $WEB4)" 198.51.100.10
attempt by alice vpnrun vpnrunctl ps one
like 'and vpnrunctl shows what runs there' "$OUT" 'vpnrunctl ps one'

attempt by bob vpnrun curl -s -m 5 $WEB4
is 'a user who is not admitted gets 125' "$STATUS" 125
is 'and no output' "$OUT" ''
complains 'and one clear message' "one"
attempt by bob vpnrun -p one true
is 'naming it does not help' "$STATUS" 125
FORBIDDEN=$(head -n 1 <<<"${ERR//one/NAME}")
attempt by bob vpnrun -p nosuch true
is 'a profile that does not exist gives 125 as well' "$STATUS" 125
is 'in the same words' "$(head -n 1 <<<"${ERR//nosuch/NAME}")" "$FORBIDDEN"

capture_start
attempt by alice vpnrun curl -s -m 2 --interface uplink $WEB4
unlike 'binding to the uplink device leads nowhere' "$OUT" '[0-9]'
is 'and fails' "$((STATUS != 0))" 1
UPLINK_ADDRESS=$(ip -n one -o -4 address show dev uplink | awk '{ sub("/.*", "", $4); print $4 }')
attempt by alice vpnrun curl -s -m 2 --interface "$UPLINK_ADDRESS" $WEB4
unlike 'nor does the uplink'"'"'s address' "$OUT" '[0-9]'
attempt by alice vpnrun curl -s -m 2 http://198.51.100.10:81/
is 'the server'"'"'s other ports are reached through the tunnel or not at all' "$((STATUS != 0))" 1
like 'the only routes over the uplink lead to the endpoint' \
  "$(ip -n one route show table all dev uplink | grep -v 'proto kernel')" '^198\.51\.100\.10 '
is 'and there is one' "$(ip -n one route show table all dev uplink | grep -vc 'proto kernel')" 1
like 'in a table that only the client reads' \
  "$(ip -n one rule show | grep "lookup $(ip -n one route show table all 198.51.100.10 | sed -E 's/.* table ([0-9]+).*/\1/')")" \
  "uidrange $(client_id one)-$(client_id one)"

attempt by alice vpnrunctl list
is 'vpnrunctl list works for the user' "$STATUS" 0
like 'and names the profile' "$OUT" '\bone\b'
attempt by alice vpnrunctl status one --json
is 'vpnrunctl status works' "$STATUS" 0
like 'and says that it is up' "$OUT" '"state": *"up"'
background "$LAB/log/app-sleep" by alice vpnrun sleep 30
SLEEPER=$BACKGROUND
within 5 'vpnrunctl ps shows an application' eval 'by alice vpnrunctl ps one | grep -q sleep'
kill "$SLEEPER"

attempt by alice vpnrunctl down one
is 'the user takes the tunnel down' "$STATUS" 0
within 3 'then there is no default route' eval '! tunnel_has_route one'
attempt by alice vpnrun --no-start true
is 'with --no-start an application does not start' "$STATUS" 125
complains '--no-start' 'one'
attempt by alice vpnrun curl -s -m 5 $WEB4
is 'a launch starts the tunnel by itself' "$OUT" 198.51.100.10
attempt by alice vpnrunctl restart one
is 'the user restarts the tunnel' "$STATUS" 0
within 5 'and it comes back' tunnel_up one

capture_stop
empty 'in all that time nothing else left the machine' "$(capture_stray "$CAPTURE_ONE")"
tunnel_release one
unchanged_since before 'after release'
