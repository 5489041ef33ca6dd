# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A TCP connection of an application lives across the death of the tunnel: the client is killed, then
# client and companion. The application keeps writing. Not one segment of that connection, not even a
# reset, leaves outside; afterwards it flows again or fails.
profile_one
strangers_away
tunnel_start one
background "$LAB/log/echo" on web attack echo 5301
ECHO=$BACKGROUND
FLOW='port 5301'

echoes_since() { awk -v since="$2" '$1 >= since && $2 == "echo" { found = 1 } END { exit !found }' "$1"; }
settled_since() { echoes_since "$1" "$2" || grep -q ' error ' "$1"; }

# control: the same application outside
capture_start
by alice attack stream 203.0.113.10 5301 1 >"$LAB/log/stream-outside"
capture_stop
check 'control: outside the connection works' echoes_since "$LAB/log/stream-outside" 0
is 'and the capture sees it' "$(capture_has "tcp dst $FLOW" && echo yes)" yes

# cut_off VICTIM SECONDS: the tunnel dies under the connection and is away for that long.
cut_off() {
  local victim=$1
  LOG=$LAB/log/app-stream-$victim
  background "$LOG" by alice vpnrun attack stream 203.0.113.10 5301 50
  APP=$BACKGROUND
  within 5 "$victim: the connection is up" echoes_since "$LOG" 0
  capture_start
  server_silent
  CLIENT=$(client_pid one)
  [ "$victim" = client ] || kill_hard "${TUNNEL_PID[one]}"
  gone "$CLIENT" || kill -9 "$CLIENT" || gone "$CLIENT" # it may end between the two
  KILLED=$(now_ms)
  sleep "$2" # the cut itself
  is "$victim: the application was not ended by it" "$(gone "$APP" && ! grep -q ' error ' "$LOG" && echo ended)" ''
  is "$victim: no answer came in that time" "$(echoes_since "$LOG" $((KILLED + 500)) && echo answered)" ''
  server_talks
  strangers_away
  [ "$victim" = client ] || tunnel_run one
  within 20 "$victim: the tunnel is back" tunnel_up one
  BACK=$(now_ms)
}
# cut_off_end VICTIM
cut_off_end() {
  pass "$1: it says" "$(head -n 1 "$LOG" | cut -d ' ' -f 2-), $(tail -n 1 "$LOG" | cut -d ' ' -f 2-)"
  capture_stop
  empty "$1: nothing of it left outside" "$(capture_stray "$ENDPOINT" | head -n 12)"
  is "$1: not one segment" "$(capture_count "$FLOW")" 0
  is "$1: while the tunnel is in the capture" "$(capture_has "$ENDPOINT" && echo yes)" yes
  gone "$APP" || kill "$APP"
}
tunnel_address() { ip -n one -o -4 route get 203.0.113.10 | sed -E 's/.* src ([0-9.]+).*/\1/'; }

# After that long the server has forgotten the old session and gives its address away again: to us.
OLD=$(tunnel_address)
cut_off client 10
is 'client: the tunnel has its address back' "$(tunnel_address)" "$OLD"
within 30 'client: the connection flows again, or has failed' settled_since "$LOG" "$BACK"
cut_off_end client

# So soon the server gives another address. The connection belongs to the old one: it cannot flow, and is
# ended.
OLD=$(tunnel_address)
cut_off both 1
unlike 'both: the tunnel has another address' "$(tunnel_address)" "^${OLD//./\\.}\$"
within 10 'both: the connection of the old address is ended' grep -q ' error ' "$LOG"
is 'both: it got no answer' "$(echoes_since "$LOG" $((KILLED + 500)) && echo answered)" ''
is 'both: a new one works' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
cut_off_end both
kill "$ECHO"
tunnel_release one
