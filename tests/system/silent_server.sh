# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The server falls silent under a running application: nobody tells anybody that the tunnel is dead.
APP_LOG=$LAB/log/app-persistent
app_says() { awk -v since="$1" '$1 >= since' "$APP_LOG" | grep -Eq -- "$2"; }

profile_one
snapshot before
tunnel_start one
background "$APP_LOG" by alice vpnrun persistent_client 80 20 203.0.113.10
APP=$BACKGROUND
within 5 'the application is online' app_says 0 'ok 198.51.100.10'
capture_start
server_silent
SILENT=$(now_ms)
within 15 'the application is told that the network is unreachable' app_says "$SILENT" 'error (Network is unreachable|No route to host)'
empty 'the default route is gone' "$(ip -n one route show default)"
like 'the state is no longer up' "$(by alice vpnrunctl status one --json)" '"state": *"(reconnecting|starting|failed)"'
attempt by alice vpnrun --wait 1 true
is 'a launch that waits a second fails with 125' "$STATUS" 125
complains 'the launch' 'one'
server_talks
within 30 'the same application is back online' app_says "$(now_ms)" 'ok 198.51.100.10'
is 'it was one process all the time' "$(cut -d ' ' -f 2 "$APP_LOG" | sort -u)" "$APP"
capture_stop
empty 'not one packet left the machine outside the tunnel' "$(capture_stray "$CAPTURE_ONE")"
kill "$APP"
within 5 'the application ends' gone "$APP"
tunnel_release one
unchanged_since before 'after release'
