# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a companion goes through without falling over: launches while it is busy, a crowd of orders, a
# host that took its subnet, servers that assign what nobody may have; and how launches learn of it.

# The state is this companion's own, not what a killed one left.
its_state() { grep -q "\"pid\": *${TUNNEL_PID[one]}," /run/vpnrun/one/state.json; }
alive() { ! gone "${TUNNEL_PID[one]}"; }

profile_one
tunnel_start one

# --- a launch under a tunnel that is up waits for no process ---
kill -STOP "${TUNNEL_PID[one]}"
attempt by alice timeout 3 vpnrun sh -c 'echo ran'
is 'with the tunnel up a launch does not wait for its companion' "$OUT" ran
kill -CONT "${TUNNEL_PID[one]}"
background "$LAB/log/app-lock" by alice python3 -c '
import fcntl, time
file = open("/run/vpnrun/one/up")
try:
    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    print("held", flush=True)
except OSError:
    print("refused", flush=True)
time.sleep(60)'
LOCKER=$BACKGROUND
within 5 'an admitted user tries to lock the mark' grep -q . "$LAB/log/app-lock"
is 'which is locked by the companion' "$(cat "$LAB/log/app-lock")" refused
kill "$LOCKER"
by alice vpnrunctl down one
background "$LAB/log/app-lock" by alice python3 -c '
import fcntl, time
fcntl.lockf(open("/run/vpnrun/one/up"), fcntl.LOCK_SH | fcntl.LOCK_NB)
file = open("/run/vpnrun/one/up")
fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
print("held", flush=True)
time.sleep(60)'
LOCKER=$BACKGROUND
within 5 'down, the user can take a read lock' grep -q held "$LAB/log/app-lock"
attempt by alice vpnrun --no-start true
is 'it does not make the tunnel look up' "$STATUS" 125
is 'nor keeps others from a launch that starts it' "$(by alice vpnrun --wait 20 sh -c 'echo ran')" ran
is 'or from one while it is up' "$(by alice vpnrun sh -c 'echo ran')" ran
kill "$LOCKER"
attempt by alice sh -c 'echo x >>/run/vpnrun/one/up'
unlike 'and cannot write to the mark' "$STATUS" '^0$'
kill_hard "${TUNNEL_PID[one]}"
attempt by alice timeout 5 vpnrun true
is 'with the companion killed the mark is gone, and a launch says that nobody is there' "$STATUS" 125
complains 'the launch' 'not running'
tunnel_run one
within 15 'the next companion brings the tunnel up' tunnel_up one

# --- old news ---
# That the device has lost its client, read only when it has one again: a busy machine does that.
losses() { grep -c 'let go of the tunnel device' "$LAB/log/tunnel-one" || return 0; }
BEFORE=$(losses)
background "$LAB/tmp/links" ip -n one monitor link
MONITOR=$BACKGROUND
carrier() {
  ip -n one link set tun0 carrier "$1"
  within 10 "the kernel tells that the carrier is $1" eval "grep ' tun0: ' '$LAB/tmp/links' | tail -n 1 | grep -q '$2'"
}
kill -STOP "${TUNNEL_PID[one]}"
carrier off 'NO-CARRIER'
carrier on '[<,]LOWER_UP'
kill "$MONITOR"
kill -CONT "${TUNNEL_PID[one]}"
is 'old news of the device do not take the tunnel down' "$(by alice vpnrun sh -c 'echo ran')-$(losses)" "ran-$BEFORE"
ip -n one link set tun0 carrier off
within 5 'control: news of now do' eval '[ "$(losses)" -gt "$BEFORE" ]'
ip -n one link set tun0 carrier on
within 15 'and it comes back' tunnel_up one

# --- whether it runs, by its own socket and not by a number in a file ---
# alive_says USER
alive_says() {
  by "$1" python3 -c '
import socket
mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    mark.connect("/run/vpnrun/one/alive")
    print("alive")
    mark.send(b"x")
    print("took it")
except OSError as error:
    print(type(error).__name__)' | xargs
}
is 'an admitted user sees that the companion runs, and can leave nothing with it' "$(alive_says alice)" 'alive BrokenPipeError'
is 'nobody else sees it' "$(alive_says bob)" PermissionError
kill_hard "${TUNNEL_PID[one]}"
is 'killed, it is seen to be gone' "$(alive_says alice)" ConnectionRefusedError
tunnel_run one
within 15 'the next one comes up' tunnel_up one
is 'and is seen' "$(alive_says alice)" 'alive BrokenPipeError'

# --- a crowd of orders ---
ORDERS=()
for number in 1 2 3 4 5 6 7 8; do
  background "$LAB/tmp/order-$number" by alice vpnrunctl restart one
  ORDERS+=("$BACKGROUND")
done
REFUSED=0
for order in "${ORDERS[@]}"; do
  wait "$order" || REFUSED=$((REFUSED + 1))
done
is 'of many restarts at once each is carried out' "$REFUSED $(cat "$LAB"/tmp/order-* | grep -c '^vpnrun.*cannot')" '0 0'
check 'whoever waited has seen it up' tunnel_up one
within 15 'and the tunnel is up after it' tunnel_up one
by alice python3 -c '
import socket
control = socket.socket(socket.AF_UNIX)
control.connect("/run/vpnrun/one/control")
control.sendall(b"{\"command\":\"status\"}\n" * 100)
control.settimeout(5)
received = b""
while received.count(b"\n") < 100:
    received += control.recv(65536)
print(received.count(b"\"ok\":true"))' >"$LAB/tmp/replies" 2>&1 || :
is 'a hundred requests in one breath have a hundred replies' "$(cat "$LAB/tmp/replies")" 100

# --- one user's crowd ---
background "$LAB/log/app-crowd" by alice python3 -c '
import socket, time
crowd = [socket.socket(socket.AF_UNIX) for _ in range(80)]
for one in crowd:
    one.connect("/run/vpnrun/one/control")
print("connected", flush=True)
time.sleep(60)'
CROWD=$BACKGROUND
within 10 'an admitted user opens eighty connections' grep -q connected "$LAB/log/app-crowd"
check 'root still gets an answer' timeout 5 vpnrunctl status one
kill "$CROWD"

# --- a restart onto a profile without a link, in the moment after down ---
cp "$PROFILES/one.toml" "$LAB/tmp/one.toml"
printf '%s\n' '[tunnel]' 'type = "none"' '[access]' 'users = ["alice"]' >"$PROFILES/one.toml"
by alice vpnrunctl down one
by alice vpnrunctl restart one
throughout 1 'the companion survives it' alive
cp "$LAB/tmp/one.toml" "$PROFILES/one.toml"
by alice vpnrunctl restart one
within 15 'and brings the former profile up again' tunnel_up one

# --- the host took the subnet meanwhile ---
ip link add taken type veth peer name taken-peer
ip address add 10.99.0.1/24 dev taken
ip link set taken up
profile one '[link]' 'subnet = "10.99.0.0/30"'
attempt by alice vpnrunctl restart one
like 'a restart onto a subnet that the host uses says so' "$ERR" '10\.99\.0\.'
attempt by alice vpnrun --wait 3 true
is 'a launch then fails' "$STATUS" 125
check 'the companion lives' alive
ip link del taken
attempt by alice vpnrunctl up one
is 'and when the subnet is free again it comes up' "$(by alice vpnrun --wait 15 curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
profile one
by alice vpnrunctl restart one
tunnel_stop one

# --- servers that assign what nobody may have ---
# assigning PORT ADDRESS MASK: a server that does.
assigning() {
  vpn_server "server-$1" "tun-$1" server --proto udp6 --port "$1" --mode server --tls-server \
    --ifconfig 10.6.0.1 255.255.255.0 --push 'topology subnet' ${2:+--push "ifconfig $2 $3"}
  wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$1" || lab_die "server $1 failed"
}
refused_address() { its_state && grep -Eq '"error": "[^"]*address' /run/vpnrun/one/state.json; }
PORT=1200
for assigned in '0.0.0.0 255.255.255.0' '224.0.0.1 255.255.255.0' '127.0.0.1 255.0.0.0' \
  '198.51.100.10 255.255.255.0' ''; do
  PORT=$((PORT + 1))
  # shellcheck disable=SC2086  # address and mask
  assigning $PORT $assigned
  ovpn_one "$PROFILES/one.ovpn" client "198.51.100.10 $PORT"
  tunnel_run one
  within 15 "a server that assigns '${assigned:-nothing}' is refused with the reason" refused_address
  empty 'and leaves no route' "$(ip -n one route show default)"
  tunnel_stop one
done
ovpn_one "$PROFILES/one.ovpn"
tunnel_run one
within 15 'with its own server the tunnel is up again' tunnel_up one
tunnel_stop one

# --- one that gave up ---
ovpn_one "$PROFILES/one.ovpn"
sed -i 's/^verb 3$/verb 3\nauth nonsense/' "$PROFILES/one.ovpn"
tunnel_run one
within 15 'with a digest that does not exist the companion ends' gone "${TUNNEL_PID[one]}"
unset 'TUNNEL_PID[one]'
attempt by alice vpnrun true
is 'a launch after that gives 125' "$STATUS" 125
complains 'and tells why it ended' 'not running; it ended: .*nonsense'
tunnel_release one
