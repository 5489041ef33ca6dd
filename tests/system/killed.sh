# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# killed client|companion|both: kill -9 under a running application. It is cut off, at once and with an
# error, nothing leaves the machine, and it is back online without a restart of its own.
VICTIM=$1
APP_LOG=$LAB/log/app-persistent

# app_says SINCE_MS REGEX: the application has reported it since then.
app_says() { awk -v since="$1" '$1 >= since' "$APP_LOG" | grep -Eq -- "$2"; }
app_first() { awk -v since="$1" '$1 >= since' "$APP_LOG" | grep -E -m 1 -- "$2" | cut -d ' ' -f 1; }
online() { app_says "$1" '203.0.113.10 ok 198.51.100.10' && app_says "$1" '2001:db8:cb::10 ok 2001:db8:51::10'; }

kill_victim() {
  local client
  client=$(client_pid one)
  KILLED=$(now_ms)
  case $VICTIM in
    client) kill -9 "$client" ;;
    companion) kill_hard "${TUNNEL_PID[one]}" ;;
    both) kill_hard "$client" "${TUNNEL_PID[one]}" ;;
  esac
}

# The kernel finds no way out of the namespace. With nobody left to remove it a default route may still
# be listed; a device without carrier makes it void.
no_way_out() { ! ip -n one route get 203.0.113.10 && ! ip -n one -6 route get 2001:db8:cb::10; }

# What systemd does with Restart=; for a killed client there is nothing to do.
restart() {
  if [ "$VICTIM" != client ]; then
    wait_until 5 gone "${TUNNEL_PID[one]}" || lab_die 'the companion survived kill -9'
    tunnel_run one
  fi
}

profile_one
snapshot before
tunnel_start one
background "$APP_LOG" by alice vpnrun persistent_client 60 20 203.0.113.10 2001:db8:cb::10
APP=$BACKGROUND
within 5 'the application is online over IPv4 and IPv6' online 0
capture_start

# First with a server that keeps silent, so that the tunnel stays away for as long as it takes to look.
server_silent
kill_victim
within 1 'there is no longer a default route' no_way_out
if [ "$VICTIM" = client ]; then
  empty 'not even in the table' "$(ip -n one route show default; ip -n one -6 route show default)"
fi
UNREACHABLE='error (Network is unreachable|No route to host)'
within 2 'the application is told that the network is unreachable, IPv4' app_says "$KILLED" "203.0.113.10 $UNREACHABLE"
is 'within a second' "$(($(app_first "$KILLED" "203.0.113.10 $UNREACHABLE") - KILLED < 1000))" 1
within 2 'and IPv6' app_says "$KILLED" "2001:db8:cb::10 $UNREACHABLE"
is 'within a second as well' "$(($(app_first "$KILLED" "2001:db8:cb::10 $UNREACHABLE") - KILLED < 1000))" 1
CUT=$(now_ms)
restart
throughout 1 'it stays cut off while the server is silent' eval '! app_says "$CUT" " ok "'
is 'the application still runs' "$(gone "$APP" && echo gone || echo runs)" runs
server_talks
within 15 'the same application is back online when the server is' online "$(now_ms)"

# Then with a server that is there: how short is the gap?
kill_victim
restart
within 10 'killed again, with a server that answers, it is back online' online "$((KILLED + 50))"
within 5 'the tunnel says that it is up' tunnel_up one

is 'it was one process all the time' "$(cut -d ' ' -f 2 "$APP_LOG" | sort -u)" "$APP"
unlike 'and never saw another address than the tunnel'"'"'s' "$(grep ' ok ' "$APP_LOG")" \
  ' ok (203|192|2001:db8:77)'
capture_stop
empty 'not one packet left the machine outside the tunnel' "$(capture_stray "$CAPTURE_ONE")"
is 'and the capture was not blind: the tunnel was in it' "$(capture_has 'host 198.51.100.10 and udp port 1194' && echo yes)" yes

kill "$APP"
within 5 'the application ends' gone "$APP"
tunnel_release one
unchanged_since before 'after release'
