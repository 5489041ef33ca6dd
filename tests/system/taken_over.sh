# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# taken_over.sh KERNEL: a VPN client that its server has taken over does what it can to its companion by
# the management socket and by what it prints: root is served all the while by the same companion, at
# little cost, and with the real client in its place the tunnel comes up. KERNEL as for gifts.sh.
cp "$SOURCE/tests/probes/taken_over.py" /usr/local/bin/taken_over.py
chmod 0755 /usr/local/bin/taken_over.py
if [ "$1" = past ]; then
  cc -O2 -static -o "$LAB/bin/old_kernel" "$SOURCE/tests/probes/old_kernel.c"
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$LAB/bin/old_kernel" "$TUNNEL" >"$LAB/bin/tunnel-past"
  chmod 0755 "$LAB/bin/tunnel-past"
  TUNNEL=$LAB/bin/tunnel-past
fi
MOST=25 # per cent, in the second before it is ended
profile_one
tunnel_start one
spent() { awk '{ sub(/^.*\) /, ""); print ($12 + $13) * 10 }' "/proc/${TUNNEL_PID[one]}/stat"; }
# What a client says when it begins; of what is outside it reaches nothing else.
background "$LAB/log/taken-over" nsenter --net=/run/vpnrun/one/netns -- socat -u ABSTRACT-RECV:taken-over -
LISTENER=$BACKGROUND
wait_until 5 nsenter --net=/run/vpnrun/one/netns -- grep -q @taken-over /proc/net/unix
# A server that takes connections and reads nothing.
background "$LAB/log/deaf-server" nsenter --net=/run/vpnrun/one/netns -- python3 -c 'import signal, socket
listener = socket.create_server(("127.0.0.1", 4444), backlog=100)
signal.pause()'
SERVER=$BACKGROUND
wait_until 5 eval 'nsenter --net=/run/vpnrun/one/netns -- ss -Hltn sport = 4444 | grep -q .'

for way in descriptor out_of_band half_a_line endless_line deaf states questions logins prints reports strangers; do
  vpnrunctl down one >/dev/null
  stand_in "exec python3 /usr/local/bin/taken_over.py $way"
  background "$LAB/log/app-$way" vpnrunctl up one
  waiting=$BACKGROUND
  within 10 "$way: the client is at it" grep -qx $way "$LAB/log/taken-over"
  before=$(spent)
  begin=$(now_ms)
  for _ in 1 2 3 4; do
    sleep 0.25 # in the thick of it
    timeout 5 vpnrunctl status one >/dev/null || fail "$way: root gets no answer"
  done
  share=$((($(spent) - before) * 100 / ($(now_ms) - begin)))
  check "$way: root gets an answer" timeout 5 vpnrunctl status one
  check "$way: of the same companion" kill -0 "${TUNNEL_PID[one]}"
  is "$way: no more than $MOST % of a core ($share)" "$((share <= MOST))" 1
  stand_in_ends
  kill "$waiting" 2>/dev/null || :  # it may have ended by itself
done
ASKED=$(grep -c 'waits for' "$LAB/log/tunnel-one")
check 'it was asked for credentials (control)' test "$ASKED" -gt 0
is "and not without end ($ASKED lines)" "$((ASKED <= 100))" 1
like 'which is said' "$(cat "$LAB/log/tunnel-one")" 'asks for credentials without end'
TOLD=$(grep -c 'the server waits for' "$LAB/log/tunnel-one")
check 'it waited for log-ins (control)' test "$TOLD" -gt 0
is "and not without end ($TOLD lines)" "$((TOLD <= 100))" 1
check 'with the real client it comes up' timeout 20 vpnrunctl restart one
is 'and applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
kill "$LISTENER" "$SERVER"
tunnel_release one
