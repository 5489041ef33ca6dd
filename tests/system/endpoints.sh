# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Addresses that cannot be a server's are refused, with the reason and what to do: for good where the
# configuration names them, and until it changes where a name leads to them. An address of the machine
# itself works, and no local traffic of others is touched.
WEB4=http://203.0.113.10/
# state_says REGEX: in error or hint.
state_says() { grep -Eq "\"(error|hint)\": \"[^\"]*$1" /run/vpnrun/one/state.json; }
# configuration REMOTE…
configuration() {
  local remote
  ovpn_one "$PROFILES/one.ovpn" client "$1"
  shift
  for remote; do
    sed -i "s/^nobind$/remote $remote\n&/" "$PROFILES/one.ovpn"
  done
}
name_is() {
  sed '/vpn\.example/d' /etc/hosts >"$LAB/tmp/hosts"
  printf '%s vpn.example\n' "$@" >>"$LAB/tmp/hosts"
  cat "$LAB/tmp/hosts" >/etc/hosts
}
untouched() {
  is "$1: nothing forwards or is guarded for it" \
    "$(sysctl -n net.ipv4.conf.lo.forwarding)$(nft list set inet vpnrun_links guarded 2>/dev/null | grep -c elements)" 00
}

profile one
configuration '198.51.100.10 1194'
cp -a "$PROFILES/one.ovpn" "$PROFILES/one.toml" "$LAB/tmp/"
cp -a /etc/hosts "$LAB/tmp/hosts.before"
snapshot before

# --- literals: final ---
while read -r address reason; do
  configuration "$address 1194"
  tunnel_prepare one
  tunnel_run one
  within 10 "$address: the companion ends" gone "${TUNNEL_PID[one]}"
  gone "${TUNNEL_PID[one]}" || kill -9 "${TUNNEL_PID[one]}"
  attempt wait "${TUNNEL_PID[one]}"
  unset 'TUNNEL_PID[one]'
  is "$address: for good" "$STATUS" 78
  check "$address: the reason" state_says "$address is $reason"
  check "$address: and a hint" grep -Eq '"hint": "[^"]+' /run/vpnrun/one/state.json
  untouched "$address"
  "$TUNNEL" release one
done <<'END'
0.0.0.0 not a server's address
127.0.0.1 a loopback address
224.0.0.251 a multicast address
255.255.255.255 the broadcast address
240.0.0.1 a reserved address
END

# --- of several servers the usable ones are used ---
configuration '127.0.0.1 1194' '0.0.0.0 1194' '198.51.100.10 1194'
tunnel_start one
is 'of several servers the usable one is used' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
is 'and the others are not let through' "$(nft list table inet vpnrun_links | grep -c '127\.0\.0\.1\|0\.0\.0\.0')" 0
tunnel_release one

# --- names: they may change ---
configuration 'vpn.example 1194'
for address in 0.0.0.0 127.0.1.1 192.168.77.255 255.255.255.255; do
  name_is "$address"
  tunnel_prepare one
  tunnel_run one
  within 5 "a name that leads to $address is told" state_says "'vpn\.example' does not lead to a server: $address is "
  untouched "a name that leads to $address"
  check 'and it goes on trying' grep -q '"state": "starting"' /run/vpnrun/one/state.json
  name_is 198.51.100.10
  within 15 'when the name leads to the server the tunnel comes up' tunnel_up one
  tunnel_release one
done
name_is 0.0.0.0 198.51.100.10
tunnel_start one
is 'of several addresses of a name the usable one is used' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
tunnel_release one
name_is

# --- within a link's own network ---
configuration '10.213.7.2 1194'
profile one '[link]' 'subnet = "10.213.7.0/30"'
tunnel_prepare one
tunnel_run one
within 5 'an address of the link is refused' state_says '10\.213\.7\.2 is in the link'"'"'s own network'
check 'with what to do' state_says '\[link\] subnet'
tunnel_release one
profile one

# --- a relay on the machine, and a transparent proxy for its own traffic ---
background "$LAB/log/relay" socat UDP4-LISTEN:1194,bind=192.168.77.2,fork,reuseaddr UDP4:198.51.100.10:1194
RELAY=$BACKGROUND
cat >"$LAB/tmp/proxy.py" <<'END'
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
s.bind(("127.0.0.1", 7893))
s.listen()
print("listening", flush=True)
while True:
    c, _ = s.accept()
    c.sendall(("proxied to %s:%d\n" % c.getsockname()).encode())
    c.close()
END
background "$LAB/log/proxy" python3 "$LAB/tmp/proxy.py"
PROXY=$BACKGROUND
within 5 'the proxy listens' grep -q listening "$LAB/log/proxy"
ip rule add fwmark 1 lookup 100
ip route add local default dev lo table 100
nft -f - <<'END'
table inet proxy {
  chain pre { type filter hook prerouting priority mangle; meta mark 1 meta l4proto tcp tproxy ip to 127.0.0.1:7893 accept; }
  chain out { type route hook output priority mangle; ip daddr 203.0.113.10 tcp dport 8080 meta mark set 1; }
}
END
proxied() {
  attempt timeout 4 bash -c 'cat </dev/tcp/203.0.113.10/8080'
  is "$1" "$OUT" 'proxied to 203.0.113.10:8080'
}
proxied 'positive control: the proxy works without vpnrun'
configuration '192.168.77.2 1194'
tunnel_start one
is 'a relay on the machine carries the tunnel' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
untouched 'a relay on the machine'
is 'nor on the uplink' "$(sysctl -n net.ipv4.conf.up0.forwarding)" 0
proxied 'and the proxy works beside it'
# A server elsewhere whose address the machine takes over, and gives back.
tunnel_release one
configuration '198.51.100.10 1194'
tunnel_start one
ip address add 198.51.100.10/32 dev lo
nft delete table inet vpnrun_links
within 5 'the companion has followed: its table is back' nft list table inet vpnrun_links
proxied 'when the address of the server becomes the machine'"'"'s own, the proxy still works'
is 'and nothing forwards on the loopback device' "$(sysctl -n net.ipv4.conf.lo.forwarding)" 0
ip address del 198.51.100.10/32 dev lo
within 30 'given back, the tunnel works' eval 'tunnel_up one && by alice vpnrun curl -s -m 2 $WEB4'
tunnel_release one
# shellcheck disable=SC2046  # several: one for each client of the relay
kill "$RELAY" "$PROXY" $(pgrep -P "$RELAY")
nft delete table inet proxy
ip rule del fwmark 1
ip route flush table 100
cp -a "$LAB/tmp/one.ovpn" "$LAB/tmp/one.toml" "$PROFILES/"
cp -a "$LAB/tmp/hosts.before" /etc/hosts
unchanged_since before 'after release'
