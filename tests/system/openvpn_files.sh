# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Providers' files: what is left out is said once, to whoever has to know; what cannot work is refused at once, with
# all that is wrong; and every server of a file is tried, by the name that it asks for.
CONFIGURATION=78
WEB4=http://203.0.113.10/
# refused WHAT REGEX…: a start says each of them, and is not worth repeating.
refused() {
  local what=$1 regex
  attempt timeout 20 "$TUNNEL" run one
  is "$what: for good" "$STATUS" $CONFIGURATION
  for regex in "${@:2}"; do
    like "$what: says why" "$ERR" "$regex"
  done
}
file() {
  ovpn_one "$PROFILES/one.ovpn" client "${1:-198.51.100.10 1194}"
  shift || :
  [ $# = 0 ] || printf '%s\n' "$@" >>"$PROFILES/one.ovpn"
}
profile one

# --- what is left out ---
file '198.51.100.10 1194' 'script-security 2' 'up /etc/openvpn/update-resolv-conf' \
  'down /etc/openvpn/update-resolv-conf' "route-up '/bin/touch $LAB/tmp/ran'" "log $LAB/tmp/written"
tunnel_prepare one
tunnel_run one
within 15 'a file with scripts comes up' tunnel_up one
attempt test -e "$LAB/tmp/ran" -o -e "$LAB/tmp/written"
is 'none of them has run, and no log is written' "$STATUS" 1
like 'the log says what is left out' "$(cat "$LAB/log/tunnel-one")" "one\.ovpn: left out: .*'up', 'down' \(lines"
like 'and warns of a script of their own' "$(cat "$LAB/log/tunnel-one")" "'route-up' \(line [0-9]+\): .*\[hooks\]"
is 'each once' "$(grep -c 'left out:' "$LAB/log/tunnel-one")" 2
like 'so does the status' "$(vpnrunctl status one)" 'left out +up, down|left out +up '
like 'and as JSON' "$(vpnrunctl status one --json)" '"directive": "route-up"'
check 'which the schema allows' python3 -c 'import json, sys; json.load(open("/run/vpnrun/one/state.json"))["left_out"]'
attempt by alice vpnrun true
is 'whoever comes when it is up is told nothing' "$ERR" ''
by alice vpnrunctl -q down one
attempt by alice vpnrun curl -s -m 5 $WEB4
is 'the launch that brings it up works' "$OUT" 198.51.100.10
like 'and is told' "$ERR" '^vpnrun: left out of one\.ovpn: .*up, down \(lines [0-9]+, [0-9]+\): vpnrun sets'
like 'and warned' "$ERR" 'vpnrun: warning: left out of one\.ovpn: route-up'
by alice vpnrunctl -q down one
attempt by alice vpnrun -q true
is 'unless it wants quiet' "$ERR" ''
tunnel_stop one

# --- what is refused is refused at once ---
file '198.51.100.10:1194' 'plugin /usr/lib/evil.so' 'http-proxy 192.0.2.1 8080'
refused 'three lines' "one\.ovpn:4: .*write 'remote 198\.51\.100\.10 1194'" "one\.ovpn:[0-9]+: .*'plugin'" \
  "one\.ovpn:[0-9]+: .*'http-proxy'"
like 'the status has them in a line' "$(vpnrunctl status one)" "error .*'plugin'.*; .*'http-proxy'"
file '2001:db8:51::10 1194'
refused 'a server with an IPv6 address' 'IPv6 address, which the link to the server cannot carry' 'hint: .*IPv4'
file 'localhost 1194'
refused 'the name of this host' 'loopback' 'hint: .*a relay on this machine must listen at an address'
file '2001:db8:51::10 1194' 'remote 198.51.100.10 1194'
tunnel_run one
within 15 'of two servers the one that can be reached is used' tunnel_up one
like 'and the other is left out' "$(vpnrunctl status one)" 'left out +remote 2001:db8:51::10 '
tunnel_stop one
file
sed -i '/<key>/,/<\/key>/d' "$PROFILES/one.ovpn"
echo 'key one.key' >>"$PROFILES/one.ovpn"
cp "$LAB/tls/client.key" "$PROFILES/one.key"
chmod 0644 "$PROFILES/one.key"
refused 'a key that others can read' "'key' file 'one\.key'.*users other than its owner can read" 'chmod 0600'
chmod 0600 "$PROFILES/one.key"
tunnel_run one
within 15 'control: one that they cannot' tunnel_up one
tunnel_stop one

# A key in the configuration itself is no better kept.
file
chmod 0644 "$PROFILES/one.ovpn"
refused 'a configuration with a key that others can read' \
  'one\.ovpn:[0-9]+: a private key is in this file, and users other than its owner can read it' 'hint: chmod 0600'
chmod 0600 "$PROFILES/one.ovpn"

# --- all at once: what is wrong, what is missing, servers that cannot be reached, files that are not there ---
file '2001:db8:51::10 1194' 'plugin /x.so' 'auth-user-pass gone.txt'
sed -i '/<ca>/,/<\/ca>/d' "$PROFILES/one.ovpn"
chmod 0644 "$PROFILES/one.ovpn"
refused 'a file with mistakes of five kinds' 'one\.ovpn: nothing to check the server by' \
  'one\.ovpn:4: .*IPv6 address' "one\.ovpn:[0-9]+: directive 'plugin'" \
  "one\.ovpn:[0-9]+: 'auth-user-pass' file 'gone\.txt'" 'one\.ovpn:[0-9]+: a private key is in this file'

# --- credentials that nobody asks for ---
file
printf '%s\n' subscriber 'correct horse' >"$PROFILES/one.auth"
chmod 0600 "$PROFILES/one.auth"
profile one 'credentials = "one.auth"'
: >"$LAB/log/tunnel-one"
tunnel_run one
within 15 'credentials without auth-user-pass keep nobody from connecting' tunnel_up one
like 'the status says so' "$(vpnrunctl status one)" "left out +credentials: .*no 'auth-user-pass'"
like 'and the log' "$(cat "$LAB/log/tunnel-one")" "left out: .*'credentials': .*no 'auth-user-pass'"
tunnel_stop one
profile one

# --- a key of the control channel for each server ---
openvpn --genkey secret "$LAB/tls/crypt.key"
openvpn --genkey secret "$LAB/tls/auth.key"
for KIND in crypt auth; do
  vpn_server "server-$KIND" "tun-$KIND" server --proto udp --local 198.51.100.10 --port "159${#KIND}" \
    --server "10.6.${#KIND}.0" 255.255.255.0 --push 'redirect-gateway def1' --"tls-$KIND" "$LAB/tls/$KIND.key"
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$KIND" || lab_die "server $KIND failed"
done
# connection_of PORT KIND: a block with the server at it.
connection_of() {
  printf '%s\n' '<connection>' "remote 198.51.100.10 $1 udp"
  inline "tls-$2" "$LAB/tls/$2.key"
  printf '%s\n' '</connection>'
}
for KIND in crypt auth; do
  file
  connection_of "159${#KIND}" "$KIND" >>"$PROFILES/one.ovpn"
  tunnel_run one
  within 15 "tls-$KIND in a <connection> block comes up" tunnel_up one
  tunnel_stop one
done
file
{ connection_of 1595 crypt; connection_of 1594 auth; } >>"$PROFILES/one.ovpn"
tunnel_run one
within 15 'of two servers with keys of their own the first is used' tunnel_up one
like 'and the other is left out' "$(vpnrunctl status one)" 'left out +connection .*tls-auth, tls-crypt'
tunnel_stop one

# --- names ---
file 'six.example 1194'
cp -a /etc/hosts "$LAB/tmp/hosts"
echo '2001:db8:51::10 six.example' >>/etc/hosts
tunnel_run one
within 10 'a name that has IPv6 addresses only is told as such' \
  grep -q "'six.example' has IPv6 addresses only" /run/vpnrun/one/state.json
cat "$LAB/tmp/hosts" >/etc/hosts
tunnel_stop one
file 'vpn.example 1194' remote-random-hostname
sed -i '/vpn\.example/d' /etc/hosts
tunnel_run one
within 15 'a file that asks for a random label comes up' tunnel_up one
like 'by a name below the server'"'"'s' "$(cat "$LAB/log/dns-isp")" 'query\[A\] [0-9a-f]{12}\.vpn\.example '
unlike 'and not by the bare one' "$(grep 'query\[A\]' "$LAB/log/dns-isp")" 'query\[A\] vpn\.example '
tunnel_stop one
cat "$LAB/tmp/hosts" >/etc/hosts
"$TUNNEL" release one

# --- more servers than an attempt is for ---
profile_two
mapfile -t REMOTES < <(seq -f 'remote 198.51.100.20 %g' 7001 7039)
sed -i '/^remote /d' "$PROFILES/two.ovpn"
printf '%s\n' "${REMOTES[@]}" 'remote 198.51.100.20 443' >>"$PROFILES/two.ovpn"
tunnel_prepare two
tunnel_run two
within 100 'the fortieth server is reached' tunnel_up two
like 'it is that one' "$(vpnrunctl status two)" 'endpoint +198\.51\.100\.20:443/tcp'
is 'and the link is open for no more than it tried at once' \
  "$(($(nft list ruleset | grep -o '7[0-9][0-9][0-9]' | sort -u | wc -l) <= 32))" 1
tunnel_release two
