# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# vpnrunctl log for those whom a profile admits: what its companion has logged, whole lines, as it comes, and
# nothing of another profile; bounded, whoever reads or does not.
CONTROL=/run/vpnrun/one/control
profile_one
profile_two
sed -i 's/^users = .*/users = ["bob"]/' "$PROFILES/two.toml"
tunnel_start one
tunnel_start two

attempt by alice vpnrunctl log one
is 'an admitted user is shown the log' "$STATUS$ERR" 0
like 'with the time of each line' "$OUT" "^[0-9-]{10} [0-9:]{8} 'one' is up, by 198\.51\.100\.10:1194/udp$"
is 'the same lines as the companion has written' \
  "$(sed 's/^[^ ]* [^ ]* //' <<<"$OUT")" "$(sed 's/^vpnrun-tunnel: //' "$LAB/log/tunnel-one")"
unlike 'nothing of the other profile' "$OUT" two
attempt by alice vpnrunctl log
like 'without a name it is that of the only profile that is open' "$OUT" "'one' is up"
attempt by alice vpnrunctl log -n 1 one
is 'as many lines as were asked for' "$(grep -c '' <<<"$OUT")" 1
like 'the last ones' "$OUT" "'one' is up"
like 'as JSON, an object a line' "$(by alice vpnrunctl log one --json | tail -n 1)" \
  '^\{"number":[0-9]+,"time":[0-9]+,"level":"info","text":"'
attempt by alice vpnrunctl log two
is "another profile's is refused" "$STATUS" 1
complains 'that' "cannot use profile 'two'"
attempt by bob vpnrunctl log two
like 'control: to whom that profile admits it is shown' "$OUT" "'two' is up"

# --- as it comes ---
background "$LAB/log/app-follow" by alice vpnrunctl log -f one
FOLLOW=$BACKGROUND
within 5 'followed, it begins with what there was' grep -q "'one' is up" "$LAB/log/app-follow"
by alice vpnrunctl down one
within 5 'and goes on with what comes' grep -q "'one' is down" "$LAB/log/app-follow"
by alice vpnrunctl up one
within 5 'each line once' eval '[ "$(grep -c "is up, by" "$LAB/log/app-follow")" = 2 ]'
tunnel_stop one
within 10 'a companion that ends is waited for' grep -q 'waiting for the next one' "$LAB/log/app-follow"
attempt by alice vpnrunctl log one
is 'without one there is no log to show' "$STATUS" 1
complains 'that' "cannot show the log of profile 'one': its companion is not running"
tunnel_run one
within 15 'up again' tunnel_up one
within 10 'and the log of the next one follows' eval '[ "$(grep -c "is up, by" "$LAB/log/app-follow")" = 3 ]'
kill "$FOLLOW"

# --- a reader that does not read ---
background "$LAB/log/app-sleeper" by alice python3 -c '
import socket, time
for _ in range(10):
    control = socket.socket(socket.AF_UNIX)
    control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    control.connect("'$CONTROL'")
    control.sendall(b"{\"command\":\"hello\"}\n{\"command\":\"log\",\"follow\":true}\n")
    globals().setdefault("kept", []).append(control)
print("asleep", flush=True)
time.sleep(120)'
SLEEPER=$BACKGROUND
within 5 'ten readers that do not read' grep -q asleep "$LAB/log/app-sleeper"
memory() { awk '/^VmRSS/ { print $2 }' "/proc/${TUNNEL_PID[one]}/status"; }
BEFORE=$(memory)
for _ in $(seq 1 40); do
  kill -HUP "${TUNNEL_PID[one]}"
  sleep 0.05
done
within 30 'the tunnel comes up all the same' tunnel_up one
is 'others are answered' "$(timeout 5 vpnrunctl status one | sed -n 's/^  state *\([a-z]*\).*/\1/p')" up
is 'and nothing is kept for the sleepers' "$(($(memory) - BEFORE < 1024))" 1
kill "$SLEEPER"

# --- who is taken out while he follows ---
background "$LAB/log/app-expelled" by alice vpnrunctl log -f one
within 5 'alice follows' grep -q "'one' is up" "$LAB/log/app-expelled"
sed -i 's/^users = .*/users = ["bob"]/' "$PROFILES/one.toml"
vpnrunctl restart one
within 5 'taken out, she is told' grep -q 'no longer admits you' "$LAB/log/app-expelled"
is 'and hears nothing after that' "$(tail -n 2 "$LAB/log/app-expelled" | head -n 1 | grep -c 'no longer admits')" 1
tunnel_release one
tunnel_release two
