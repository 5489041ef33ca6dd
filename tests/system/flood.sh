# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A client that its server has taken over writes as fast as it can: it gets the companion's attention by
# the piece, and nobody else waits.
# Hundredths of a second of processor time: of the processes of the client together, of the companion.
client_ticks() {
  local sum=0 one
  for one in $(pgrep -u "$(client_id one)"); do
    sum=$((sum + $(awk '{ print $14 + $15 }' "/proc/$one/stat" 2>/dev/null || echo 0)))
  done
  echo "$sum"
}
ticks() { awk '{ print $14 + $15 }' "/proc/${TUNNEL_PID[one]}/stat"; }
answers() { by alice timeout 2 vpnrunctl status one --json | grep -q '"state"'; }

profile_one
cat >/usr/local/bin/flood.py <<'FLOOD'
import os
while True:
    try:
        os.write(1, b"\n" * 60000)
    except BlockingIOError:
        pass
FLOOD
chmod 0644 /usr/local/bin/flood.py
stand_in 'exec python3 /usr/local/bin/flood.py'
tunnel_prepare one
tunnel_run one
within 10 'control: the client runs and writes' eval '[ "$(client_ticks)" -gt 0 ]'
BEFORE=$(ticks)
within 15 'control: it takes half a second of processor time' eval '[ "$(client_ticks)" -ge 50 ]'
BURNT=$(client_ticks)
is 'of which the companion does not spend a fifth' "$((($(ticks) - BEFORE) * 5 < BURNT))" 1
for number in 1 2 3 4 5; do
  check "the companion answers, $number" answers
done
COMPANION=${TUNNEL_PID[one]}
kill -TERM "$COMPANION"
within 10 'and ends when it is told to' gone "$COMPANION"
unset 'TUNNEL_PID[one]'
stand_in_ends
tunnel_start one
is 'control: the real client works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
tunnel_release one
