# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# stale_connections KERNEL: a reconnect brings the tunnel another address. Nothing can ever arrive for the
# connections of the former one: they end, instead of hanging for a quarter of an hour; those of an address
# that stays live on. KERNEL: present ends them at once, whatever they do; past (without the inet_diag modules)
# when they send something.
KERNEL=$1
install -m 0755 "$SOURCE/tests/probes/attack.py" "$LAB/bin/attack"
if [ "$KERNEL" = past ]; then
  cc -O2 -static -o "$LAB/bin/no_sock_diag" "$SOURCE/tests/probes/no_sock_diag.c"
  like 'control: such a kernel lists no sockets' "$(no_sock_diag /usr/bin/ss -Hltn 2>&1)" '^$|Protocol not supported'
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$LAB/bin/no_sock_diag" "$TUNNEL" >"$LAB/bin/tunnel-past"
  chmod 0755 "$LAB/bin/tunnel-past"
  TUNNEL=$LAB/bin/tunnel-past
fi
inside() { nsenter --net=/run/vpnrun/one/netns -- "$@"; }
address() { inside ip -o -4 route get 203.0.113.10 | sed -E 's/.* src ([0-9.]+).*/\1/'; }

# --- a server that gives the address that we want ---
SERVER=$(pgrep -f -- '--port 1194 ')
kill "$SERVER"
wait_until 5 gone "$SERVER" || lab_die 'server "one" does not end'
mkdir -p "$LAB/tmp/clients"
assign() {
  printf '%s\n' "ifconfig-push 10.8.0.$1 255.255.255.0" "ifconfig-ipv6-push fd00:8::$1/64 fd00:8::1" \
    >"$LAB/tmp/clients/DEFAULT"
  chmod -R a+rX "$LAB/tmp/clients"
}
assign 71
vpn_server server-one-again tun-one server --proto udp6 --port 1194 --server 10.8.0.0 255.255.255.0 \
  --server-ipv6 fd00:8::/64 --push 'redirect-gateway def1 ipv6' --push 'dhcp-option DNS 10.8.0.1' \
  --client-config-dir "$LAB/tmp/clients"
wait_until 20 grep -q 'Initialization Sequence Completed' "$LAB/log/server-one-again" || lab_die 'the server did not start'
background "$LAB/log/echo" on web attack echo 5301
ECHO=$BACKGROUND
background "$LAB/log/echo6" on web socat TCP6-LISTEN:5302,fork,reuseaddr,ipv6only=1 PIPE

# Programs that only wait: a stream of each family, and a datagram socket that is connected.
cat >"$LAB/bin/waiting" <<'CODE'
#!/usr/bin/python3 -u
"""waiting ADDRESS PORT stream|dgram: connects, says so, and waits for something to come."""
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if sys.argv[3] == "stream" else socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
print("connected", s.getsockname()[0])
try:
    print("got", len(s.recv(100)))
except OSError as error:
    print("error", error.errno)
CODE
chmod 0755 "$LAB/bin/waiting"
APPS=(talking waiting4 waiting6 datagram)
apps_start() {
  background "$LAB/log/app-talking" by alice vpnrun attack stream 203.0.113.10 5301 300
  background "$LAB/log/app-waiting4" by alice vpnrun waiting 203.0.113.10 5301 stream
  WAITING=("$BACKGROUND")
  background "$LAB/log/app-waiting6" by alice vpnrun waiting 2001:db8:cb::10 5302 stream
  WAITING+=("$BACKGROUND")
  background "$LAB/log/app-datagram" by alice vpnrun waiting 203.0.113.10 5303 dgram
  WAITING+=("$BACKGROUND")
  local app
  for app in "${APPS[@]}"; do
    wait_until 10 grep -q connected "$LAB/log/app-$app" || lab_die "the application '$app' did not connect"
  done
}
said_error() { grep -q error "$LAB/log/app-$1"; }
flows() { tail -n 1 "$LAB/log/app-talking" | grep -q ' echo ' && [ "$(wc -l <"$LAB/log/app-talking")" -gt "$1" ]; }
# all_end WHAT: the applications are told.
all_end() {
  local app
  within 20 "$1: who writes is told" said_error talking
  if [ "$KERNEL" = present ]; then
    for app in waiting4 waiting6 datagram; do
      within 5 "$1: $app is told" said_error $app
      like "$1: $app: that it was aborted" "$(cat "$LAB/log/app-$app")" '^error 103$'
    done
  else
    kill_hard "${WAITING[@]}"
  fi
}
client_lost() {
  kill -9 "$(client_pid one)"
  within 5 "$1: the tunnel is gone" eval '! tunnel_has_route one'
}

profile_one
tunnel_start one
is 'the tunnel has its address' "$(address)" 10.8.0.71
apps_start

# --- the same address again ---
client_lost 'the same address'
within 20 'the same address: the tunnel is back' tunnel_up one
is 'the same address: it is' "$(address)" 10.8.0.71
LINES=$(wc -l <"$LAB/log/app-talking")
within 20 'the same address: the connection flows again' flows "$LINES"
for app in "${APPS[@]}"; do
  check "the same address: $app was told nothing" eval "! said_error $app"
done
# A person takes it down and up.
vpnrunctl down one
within 5 'down: the tunnel is down' eval '! tunnel_has_route one'
vpnrunctl up one
within 20 'down: and up again' tunnel_up one
LINES=$(wc -l <"$LAB/log/app-talking")
within 20 'down: the connection flows again' flows "$LINES"

# --- another one ---
assign 72
client_lost 'another address'
within 20 'another address: the tunnel is back' tunnel_up one
is 'another address: it is' "$(address)" 10.8.0.72
all_end 'another address'
is 'another address: a new connection works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
if [ "$KERNEL" = past ]; then
  like 'another address: the former one is there for its connections' "$(inside ip -4 address show dev tun0)" \
    '10\.8\.0\.71/32 scope host'
fi
apps_start

# --- and the first one again, which has been retired ---
assign 71
client_lost 'the first address'
within 20 'the first address: the tunnel is back' tunnel_up one
is 'the first address: it is' "$(address)" 10.8.0.71
all_end 'the first address'
is 'the first address: a new connection works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
is 'over IPv6 as well' "$(by alice vpnrun curl -s -m 5 'http://[2001:db8:cb::10]/')" 2001:db8:51::10

# --- a companion that was killed ---
apps_start
assign 73
kill_hard "${TUNNEL_PID[one]}"
unset 'TUNNEL_PID[one]'
tunnel_run one
within 20 'the next companion: the tunnel is back' tunnel_up one
is 'the next companion: with another address' "$(address)" 10.8.0.73
all_end 'the next companion'

# --- a profile that is read anew ---
apps_start
assign 74
vpnrunctl restart one
within 20 'a restart: the tunnel is back' eval '[ "$(address)" = 10.8.0.74 ] && tunnel_up one'
all_end 'a restart'

# --- a companion that ends in order: the device goes with it, and nobody remembers its address ---
apps_start
assign 75
tunnel_stop one
empty 'an orderly end: there is no device' "$(ip -n one -o link show dev tun0 2>/dev/null)"
tunnel_run one
within 20 'an orderly end: the tunnel is back' eval '[ "$(address)" = 10.8.0.75 ] && tunnel_up one'
all_end 'an orderly end'
is 'an orderly end: a new connection works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
kill "$ECHO"
tunnel_release one
