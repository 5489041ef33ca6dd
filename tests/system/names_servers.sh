# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/system/names.sh
# Programs with a resolver of their own in them: whatever server they ask and however, it is the
# tunnel's that answers; and what is no query to port 53 is left alone.
source "$SOURCE/tests/system/names.sh"
VPN_RESOLVER=dns-own

# again EXTRA…: the profile with these lines, its tunnel up.
again() {
  [ ! -e /run/vpnrun/one ] || tunnel_release one
  ovpn_one "$PROFILES/one.ovpn"
  profile one "$@"
  tunnel_start one
}
# answered SERVER OPTION…: the tunnel's resolver answers in the name of SERVER, and no other is asked.
answered() {
  local server=$1 answer
  fresh_name
  answer=$(by alice vpnrun dns_query "$server" "$NAME" "${@:2}" 2>&1) || :
  like "$*: answered in the server's name" "$answer" "^(udp|tcp) ${server//./\\.} noerror [0-9]+ 192\\.0\\.2\\.8\$"
  check "$*: by the tunnel's resolver" vpn_asked "$NAME"
  check "$*: the provider's was not asked" eval "! isp_asked $NAME"
}

# In the tunnel's network, with an address of each family, and with answers of 3 kB.
on vpn ip address add 10.8.0.200/32 dev tun-one
# (dnsmasq 2.91 does not look at the size of an answer of many --address, and dies of it.)
LARGE_NAMES=$(seq -s , -f 'l%g.large.example' 9)
mapfile -t LARGE < <(seq -f "--host-record=$LARGE_NAMES,192.0.3.%g" 200)
resolver vpn dns-own 10.8.0.200 --listen-address=fd00:8::1 --address=/who.example/192.0.2.8 --edns-packet-max=4096 \
  "${LARGE[@]}"
# On the web: a resolver of somebody else, and who speaks DNS over TLS or HTTPS has these ports.
resolver web dns-web 203.0.113.10 --listen-address=2001:db8:cb::10 --address=/who.example/192.0.2.88
for PORT in 853 443; do
  background "$LAB/log/web4-$PORT" on web socat "TCP4-LISTEN:$PORT,fork,reuseaddr" EXEC:"$LAB/bin/answer"
  background "$LAB/log/web6-$PORT" on web socat "TCP6-LISTEN:$PORT,fork,reuseaddr,ipv6only=1" EXEC:"$LAB/bin/answer"
done
host_resolves 'before'
fresh_name
within 5 'the resolver on the web answers the machine' eval "dns_query 203.0.113.10 $NAME | grep -q '192.0.2.88\$'"
wait_until 5 eval 'on vpn dns_query 10.8.0.200 ready.who.example && on vpn dns_query fd00:8::1 ready.who.example' ||
  lab_die 'the resolver in the tunnel does not answer'

# --- two servers, one of each family ---
again '[dns]' 'servers = ["10.8.0.200", "fd00:8::1"]' 'search = ["who.example"]'
capture_start
capture_names_control
VETH=$(ip -n one route show table all 198.51.100.10 | awk '{ print $3 }')
like 'the veth has a host end' "$VETH" '^[0-9.]+$'
for SERVER in 8.8.8.8 127.0.0.53 127.0.0.1 ::1 2001:4860:4860::8888 2001:db8:77::1 192.168.77.1 "$VETH" 10.8.0.1 10.8.0.200; do
  answered "$SERVER"
  answered "$SERVER" --tcp
done
for SERVER in 8.8.8.8 2001:4860:4860::8888; do
  for SIZE in 512 1232 4096; do
    answered $SERVER --bufsize $SIZE
  done
  answered $SERVER --cookie
  answered $SERVER --connected
done
answered 127.0.0.53 --connected --cookie

# Large answers: cut short where they do not fit, whole over TCP, and whole in fragments with 4096.
NUMBER_LARGE=0
large_name() {
  NUMBER_LARGE=$((NUMBER_LARGE + 1))
  NAME=l$NUMBER_LARGE.large.example
}
for SERVER in 8.8.8.8 2001:4860:4860::8888 127.0.0.53; do
  for SIZE in 512 1232; do
    large_name
    like "$SERVER, $SIZE bytes: a large answer is cut short" \
      "$(by alice vpnrun dns_query $SERVER "$NAME" --bufsize $SIZE 2>&1)" "^udp $SERVER noerror tc "
    like "$SERVER, $SIZE bytes: and whole over TCP" \
      "$(by alice vpnrun dns_query $SERVER "$NAME" --bufsize $SIZE --retry-tcp 2>&1)" \
      "^tcp $SERVER noerror 3[0-9]{3} 200 answers\$"
  done
  large_name
  like "$SERVER: with 4096 bytes a large answer arrives in fragments" \
    "$(by alice vpnrun dns_query $SERVER "$NAME" --bufsize 4096 2>&1)" \
    "^udp $SERVER noerror 3[0-9]{3} 200 answers\$"
  check "$SERVER: the provider was not asked" eval "! isp_asked $NAME"
done

# From port 53 itself, as a resolver inside would: root may.
for SERVER in 8.8.8.8 127.0.0.53 2001:4860:4860::8888 "$VETH" 192.168.77.1; do
  fresh_name
  resolved "from source port 53 to $SERVER" inside dns_query "$SERVER" "$NAME" --source-port 53
done
attempt by alice vpnrun dns_query 8.8.8.8 any.who.example --source-port 53
like 'a user may not use that port' "$STATUS $ERR" '^1 .*Permission denied'

# Search domains.
fresh_name
like 'a short name is completed' "$(by alice vpnrun getent ahostsv4 "${NAME%.who.example}")" '192\.0\.2\.8\b'
check 'by the tunnel'"'"'s resolver' vpn_asked "$NAME"
check 'and the provider knows nothing of it' eval "! grep -q '${NAME%.who.example}' $LAB/log/dns-isp"

# What is no query to port 53.
for PORT in 853 443; do
  is "TCP port $PORT reaches the web server by the tunnel" \
    "$(by alice vpnrun curl -s -m 5 http://203.0.113.10:$PORT/)" 198.51.100.10
  is "over IPv6, too" "$(by alice vpnrun curl -s -m 5 "http://[2001:db8:cb::10]:$PORT/")" 2001:db8:51::10
done
unlike 'the resolver on the web was asked nothing in all that' "$(cat "$LAB/log/dns-web")" 'query.* from (198\.51\.100|2001:db8:51:)'

# --- the first server is dead ---
again '[dns]' 'servers = ["10.8.0.99", "10.8.0.200", "fd00:8::1"]'
fresh_name
resolved 'with the first server dead' by alice RES_OPTIONS=timeout:1 vpnrun getent ahostsv4 "$NAME"
# Programs that ask somebody else are captured, and do not know of a second one.
comes_round() { by alice vpnrun dns_query "$1" "$NAME" "${@:2}" --timeout 1 2>&1 | grep -q '192\.0\.2\.8$'; }
for SERVER in 8.8.8.8 127.0.0.53; do
  for HOW in '' --connected --tcp; do
    fresh_name
    # shellcheck disable=SC2086  # an option or none
    within 20 "the first server dead, $SERVER $HOW: the next one is asked" comes_round $SERVER $HOW
    check "$SERVER $HOW: it was asked" vpn_asked "$NAME"
    check "$SERVER $HOW: the provider's was not" eval "! isp_asked $NAME"
  done
done
# A minute later the first one is tried again, and one try is lost.
again '[dns]' 'servers = ["10.8.0.99", "10.8.0.200", "fd00:8::1"]'
fresh_name
resolved 'a program that asks again from the same port comes to the next one' \
  by alice vpnrun dns_query 8.8.8.8 "$NAME" --connected --timeout 5 --tries 3
# It comes to life.
resolver vpn dns-late 10.8.0.99 --address=/who.example/192.0.2.99
on vpn ip address add 10.8.0.99/32 dev tun-one
late_answers() { by alice vpnrun dns_query 8.8.8.8 "$NAME" --timeout 1 2>&1 | grep -q '192\.0\.2\.99$'; }
fresh_name
within 5 'the first server is back: whoever asks it by name gets an answer' eval \
  "by alice vpnrun dns_query 10.8.0.99 $NAME --timeout 1 | grep -q '192\.0\.2\.99\$'"
fresh_name
within 5 'and with that captured queries go to it again' late_answers

# --- servers of one family: the other is refused, not let out ---
VPN_RESOLVER=dns-one
again
for SERVER in 2001:4860:4860::8888 ::1 2001:db8:cb::10; do
  for HOW in --connected --tcp; do
    fresh_name
    unresolved "IPv6 $SERVER $HOW with an IPv4 resolver" by alice vpnrun dns_query $SERVER "$NAME" $HOW
    check "$SERVER $HOW: nor was the one on the web" eval "! grep -q ' $NAME ' $LAB/log/dns-web"
    attempt by alice vpnrun dns_query $SERVER "$NAME" $HOW
    unlike "$SERVER $HOW: refused, not left waiting" "$ERR" 'timed out'
  done
done

# --- without capture ---
again '[dns]' 'capture = false'
# web_answered SERVER PEER OPTION…
web_answered() {
  local server=$1 peer=$2 answer
  shift 2
  fresh_name
  answer=$(by alice vpnrun dns_query "$server" "$NAME" "$@" 2>&1) || :
  like "without capture, $server $*: the server itself answers" "$answer" "^(udp|tcp) $server noerror [0-9]+ 192\\.0\\.2\\.88\$"
  check "it sees the tunnel's address" grep -q "query\[A\] $NAME from $peer\$" "$LAB/log/dns-web"
  check 'the provider was not asked' eval "! isp_asked $NAME"
}
for HOW in '' --tcp; do
  # shellcheck disable=SC2086  # an option or none
  web_answered 203.0.113.10 198.51.100.10 $HOW
  # shellcheck disable=SC2086
  web_answered 2001:db8:cb::10 2001:db8:51::10 $HOW
done
for SERVER in 127.0.0.53 ::1 "$VETH"; do
  fresh_name
  unresolved "without capture, $SERVER" by alice vpnrun dns_query "$SERVER" "$NAME" --timeout 1
done
new_app 'without capture'
by alice vpnrunctl down one
within 3 'the tunnel is down' eval '! tunnel_has_route one'
for SERVER in 203.0.113.10 2001:db8:cb::10 192.168.77.1; do
  fresh_name
  unresolved "without capture and tunnel, $SERVER" inside by alice dns_query $SERVER "$NAME" --timeout 1
  check "$SERVER: nor was the one on the web" eval "! grep -q ' $NAME ' $LAB/log/dns-web"
done
# After a release the machine itself refuses what the server still sends.
capture_names_stop 'through all of it'
tunnel_release one
host_resolves 'after'
