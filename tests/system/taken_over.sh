# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# taken_over.sh KERNEL: a VPN client that its server has taken over does what it can to its companion by
# the management socket and by what it prints: root is served all the while by the same companion, at
# little cost, and with the real client in its place the tunnel comes up. KERNEL as for gifts.sh.
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
# did WAY: the client says that it is at it, by a file of its own.
did() {
  local pid
  for pid in $(client_pid one); do
    [ ! -e "/proc/$pid/root/tmp/did-$1" ] || return 0
  done
  return 1
}

for way in descriptor out_of_band half_a_line endless_line deaf states prints strangers; do
  vpnrunctl down one >/dev/null
  sed "1a import sys; sys.argv[1:] = ['$way', '/tmp']" "$SOURCE/tests/probes/taken_over.py" >"$LAB/tmp/client-$way"
  stand_in "$LAB/tmp/client-$way"
  background "$LAB/log/app-$way" vpnrunctl up one
  waiting=$BACKGROUND
  within 10 "$way: the client is at it" did "$way"
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
  stand_out
  kill "$waiting" 2>/dev/null || true
done
check 'with the real client it comes up' timeout 20 vpnrunctl restart one
is 'and applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
tunnel_release one
