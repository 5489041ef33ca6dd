# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# server_address RP_FILTER: the machine that is the VPN server has a web page, a mail port and a resolver on the
# same address. Applications reach all of them, through the tunnel: what leads over the link is the client's
# alone. RP_FILTER is the machine's setting of the kernel's check of the way back.
RP_FILTER=$1
SERVER=198.51.100.10
PAGE=http://$SERVER:8088/
inside() { nsenter --net=/run/vpnrun/one/netns --mount=/run/vpnrun/one/mnt -- "$@"; }
as_client() { inside setpriv --reuid="$(client_id one)" --regid="$(client_id one)" --clear-groups "$@"; }
# unreachable WHAT ADDRESS PORT RUNNER…: there is no route, which the kernel says at once.
unreachable() {
  local what=$1 address=$2 port=$3
  shift 3
  attempt "$@" bash -c "echo >/dev/tcp/$address/$port"
  like "$what: there is no way, and that is said" "$ERR" '(Network is unreachable|No route to host)$'
}
only_the_tunnel() {
  capture_stop
  empty "$1: nothing of it passed the uplink in clear" "$(capture_stray "$CAPTURE_ONE")"
  is "$1: while the tunnel is in the capture" "$(capture_has "$CAPTURE_ONE" && echo yes)" yes
}

printf '#!/bin/sh\nread -r request\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\n%%s\\n" "own page for $SOCAT_PEERADDR"\n' >"$LAB/bin/own-page"
chmod 0755 "$LAB/bin/own-page"
for PORT in 8088 25; do
  background "$LAB/log/own-page-$PORT" on vpn socat "TCP4-LISTEN:$PORT,bind=$SERVER,fork,reuseaddr" EXEC:"$LAB/bin/own-page"
done
background "$LAB/log/own-echo" on vpn socat "UDP4-LISTEN:4711,bind=$SERVER,fork,reuseaddr" PIPE
resolver vpn dns-own $SERVER --address=/who.example/192.0.2.8
cp "$SOURCE/tests/probes/dns_query.py" "$LAB/bin/dns_query"
chmod 0755 "$LAB/bin/dns_query"

# --- control: without vpnrun ---
capture_start
within 5 'control: the page answers without vpnrun' eval '[ "$(by alice curl -s -m 5 $PAGE)" = "own page for 198.51.100.1" ]'
within 5 'control: so does the resolver' eval "by alice dns_query $SERVER n0.who.example | grep -q '192\.0\.2\.8'"
capture_stop
like 'control: and the capture sees both' "$(capture_stray "$CAPTURE_ONE")" "> $SERVER\.8088: "
like 'control: the query in clear' "$(capture_stray "$CAPTURE_ONE")" 'n0\.who\.example'

# --- behind the tunnel ---
ovpn_one "$PROFILES/one.ovpn"
profile one '[dns]' "servers = [\"$SERVER\"]"
tunnel_prepare one
# As a machine with this setting leaves it to a new namespace.
inside sysctl -qw net.ipv4.conf.all.rp_filter="$RP_FILTER" net.ipv4.conf.default.rp_filter="$RP_FILTER"
capture_start
tunnel_run one
within 15 'the tunnel comes up' tunnel_up one
like 'an application reaches the page, from the tunnel' "$(by alice vpnrun curl -s -m 10 $PAGE)" '^own page for 10\.8\.0\.'
like 'so does root inside' "$(inside curl -s -m 10 $PAGE)" '^own page for 10\.8\.0\.'
like 'another port' "$(by alice vpnrun curl -s -m 10 http://$SERVER:25/)" '^own page for 10\.8\.0\.'
is 'UDP as well' "$(by alice vpnrun bash -c "echo own-echo | socat -t 5 - UDP4:$SERVER:4711")" own-echo
inside sysctl -qw net.ipv4.ping_group_range='0 2147483647'
is 'a ping' "$(by alice vpnrun python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
s.settimeout(10)
s.sendto(b"\x08\0\0\0\0\0\0\1", ("198.51.100.10", 0))
print(s.recvfrom(64)[1][0])' 2>&1)" "$SERVER"
like 'the resolver that is the server itself answers' "$(by alice vpnrun getent ahostsv4 n1.who.example)" '^192\.0\.2\.8 '
check 'it was asked through the tunnel' grep -q 'query\[A\] n1.who.example from 10\.8\.0\.' "$LAB/log/dns-own"
like 'and a program that asks 127.0.0.53' "$(by alice vpnrun dns_query 127.0.0.53 n2.who.example)" 'noerror .* 192\.0\.2\.8$'
# To the very port of the tunnel: the server throws it away, but not because it came past the tunnel.
by alice vpnrun bash -c "echo knock >/dev/udp/$SERVER/1194"
is 'the web is reached as before' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" $SERVER
only_the_tunnel 'all of it'

# --- the table is the client's alone ---
TABLE=$(ip -n one route show table all $SERVER | sed -E 's/.* table ([0-9]+).*/\1/')
like 'the route over the link is in a table of its own' "$TABLE" '^[0-9]+$'
is 'the main table knows nothing of it' "$(ip -n one route show $SERVER | wc -l)" 0
is 'one rule leads there' "$(ip -n one rule show | grep -c "lookup $TABLE")" 1
like 'for the client'"'"'s user' "$(ip -n one rule show)" "uidrange $(client_id one)-$(client_id one) lookup $TABLE"
unreachable 'whoever has the client'"'"'s user is not in the tunnel' 203.0.113.10 80 as_client
unreachable 'nor over IPv6' 2001:db8:cb::10 80 as_client

# --- a companion that was killed: the next one takes over, with another user ---
FORMER=$(client_id one)
kill_hard "${TUNNEL_PID[one]}"
unset 'TUNNEL_PID[one]'
within 10 'its client ends' eval '[ -z "$(client_pid one)" ]'
# The kernel notices a little later. What begins in between is not refused, and waits until TCP gives it up.
within 10 'its device is dead' eval 'inside ip route | grep -q linkdown'
unreachable 'without a tunnel the page' $SERVER 8088 inside by alice
# Somebody has the number now.
echo "somebody:x:$FORMER:$FORMER::/:/bin/false" >>/etc/passwd
tunnel_run one
within 15 'the next companion comes up' tunnel_up one
is 'its client is another user' "$([ "$(client_id one)" != "$FORMER" ] && echo other)" other
is 'whose rule is the only one' "$(ip -n one rule show | grep "lookup $TABLE" | sed -E 's/.*(uidrange [0-9-]+).*/\1/')" \
  "uidrange $(client_id one)-$(client_id one)"
like 'and the page is reached' "$(by alice vpnrun curl -s -m 10 $PAGE)" '^own page for 10\.8\.0\.'

# --- down: at once, not after a while ---
by alice vpnrunctl down one
within 5 'the tunnel is down' eval '! tunnel_has_route one'
unreachable 'with the tunnel down the page' $SERVER 8088 inside by alice
by alice vpnrunctl up one
within 10 'up again' tunnel_up one
tunnel_release one
sed -i '/^somebody:/d' /etc/passwd

# --- the tunnel's own network covers the server ---
SERVER_PID=$(pgrep -f -- '--port 1194 ')
kill "$SERVER_PID"
wait_until 5 gone "$SERVER_PID" || lab_die 'server "one" does not end'
mkdir -p "$LAB/tmp/clients"
echo 'ifconfig-push 198.51.100.77 255.255.255.0' >"$LAB/tmp/clients/DEFAULT"
chmod -R a+rX "$LAB/tmp/clients"
vpn_server server-one-covers tun-one server --proto udp6 --port 1194 --server 10.8.0.0 255.255.255.0 \
  --push 'redirect-gateway def1' --push 'route 198.51.100.0 255.255.255.0' --push "dhcp-option DNS $SERVER" \
  --client-config-dir "$LAB/tmp/clients"
wait_until 20 grep -q 'Initialization Sequence Completed' "$LAB/log/server-one-covers" || lab_die 'the server did not start'
on vpn ip route add 198.51.100.77/32 dev tun-one
on vpn nft insert rule inet lab hide oifname v0 ip saddr 198.51.100.77 snat to 198.51.100.10
profile_one
capture_start
tunnel_start one
like 'the tunnel'"'"'s network covers the server' "$(ip -n one route show dev tun0)" '198\.51\.100\.0/24'
like 'the page is reached' "$(by alice vpnrun curl -s -m 10 $PAGE)" '^own page for 198\.51\.100\.77$'
is 'and the web' "$(by alice vpnrun curl -s -m 10 http://203.0.113.10/)" $SERVER
RESTARTS=$(grep -c 'Initialization Sequence Completed' "$LAB/log/tunnel-one" || :)
throughout 6 'the client is not caught in its own tunnel: it stays up past the server'"'"'s patience' tunnel_up one
is 'without a reconnect' "$(grep -c 'Initialization Sequence Completed' "$LAB/log/tunnel-one" || :)" "$RESTARTS"
only_the_tunnel 'with a network that covers the server'
tunnel_release one
