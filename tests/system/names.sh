# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the scenarios about names share. No scenario of its own.

# isp_asked NAME: whether the provider's resolver was asked for it; vpn_asked: the tunnel's.
isp_asked() { grep -q "query\[.*\] $1 " "$LAB/log/dns-isp"; }
vpn_asked() { grep -q "query\[.*\] $1 " "$LAB/log/${VPN_RESOLVER:-dns-one}"; }

# Every query under its own name, so that no answer can come from elsewhere.
NUMBER=0
fresh_name() {
  NUMBER=$((NUMBER + 1))
  NAME=n$NUMBER.${NAME_DOMAIN:-who.example}
}

# resolved WHAT COMMAND…: the command prints the tunnel's answer for $NAME; nobody else was asked.
resolved() {
  local what=$1
  shift
  like "$what: the tunnel's resolver answers" "$(timeout 15 "$@" 2>&1)" '\b192\.0\.2\.8\b'
  check "$what: it was asked" vpn_asked "$NAME"
  check "$what: the provider was not" eval "! isp_asked $NAME"
}

# unresolved WHAT COMMAND…: the command has no address to show, and nobody outside was asked.
unresolved() {
  local what=$1
  shift
  attempt timeout 20 "$@"
  unlike "$what: no answer" "$OUT $ERR" '\b192\.0\.2\.[0-9]'
  check "$what: the provider was not asked" eval "! isp_asked $NAME"
}

# new_app WHAT: an application that starts now gets its names through the tunnel.
new_app() {
  fresh_name
  resolved "$1, a new application" by alice vpnrun getent ahostsv4 "$NAME"
}

# The running application: one process, that asks its libc for each name it is told.
cat >"$LAB/bin/names_app" <<'END_APP'
#!/usr/bin/python3 -u
import socket, sys
for name in sys.stdin:
    name = name.strip()
    if name == "end":
        break
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except OSError as error:
        found = "error: " + str(error)
    print(name, found)
END_APP
chmod 0755 "$LAB/bin/names_app"
cp "$SOURCE/tests/probes/dns_query.py" "$LAB/bin/dns_query"
chmod 0755 "$LAB/bin/dns_query"

# inside COMMAND…: as root in the profile's network and view. A program, for timeout(1).
cat >"$LAB/bin/inside" <<'END_INSIDE'
#!/bin/sh
exec nsenter --net=/run/vpnrun/one/netns --mount=/run/vpnrun/one/mnt -- "$@"
END_INSIDE
chmod 0755 "$LAB/bin/inside"

# app_start [VARIABLE=VALUE…]: starts it; its pid in APP, its words in $LAB/log/app-names.
app_start() {
  [ -p "$LAB/tmp/names" ] || mkfifo -m 0666 "$LAB/tmp/names"
  # shellcheck disable=SC2016
  background "$LAB/log/app-names" by alice "$@" vpnrun bash -c 'exec names_app <"$1"' - "$LAB/tmp/names"
  APP=$BACKGROUND
  exec 9>"$LAB/tmp/names"
}
# Told so: a companion that was started meanwhile has the pipe open, too.
app_end() {
  echo end >&9
  exec 9>&-
  within 5 'the application ends; it was one process all the time' gone "$APP"
}
app_said() { grep -m 1 "^$1 " "$LAB/log/app-names"; }

# app_answer: a fresh name for the application; SAID is what it has to say about it.
app_answer() {
  fresh_name
  echo "$NAME" >&9
  wait_until 25 app_said "$NAME" || :
  SAID=$(app_said "$NAME" || echo 'nothing')
}

# running_app WHAT: the running application gets its names through the tunnel.
running_app() {
  app_answer
  is "$1, the running application: the tunnel's resolver answers" "$SAID" "$NAME 192.0.2.8"
  check "$1: the provider was not asked" eval "! isp_asked $NAME"
}

# cut_app WHAT: the running application gets no name, and nobody outside is asked.
cut_app() {
  app_answer
  like "$1, the running application: no answer" "$SAID" "^$NAME error"
  check "$1: the provider was not asked" eval "! isp_asked $NAME"
}

# host_resolves WHAT: the machine itself asks its provider; the proof that the log would show a leak.
host_resolves() {
  fresh_name
  like "$1: the machine itself is answered by its provider" "$(timeout 10 getent ahostsv4 "$NAME" 2>&1)" '192\.0\.2\.77'
  check "$1: and the provider's log shows it" isp_asked "$NAME"
}

# companion_killed; companion_again: as systemd's Restart= does.
companion_killed() {
  kill_hard "${TUNNEL_PID[one]}"
  wait_until 5 eval '! tunnel_has_route one || [ -z "$(client_pid one)" ]' || lab_die 'the client survived'
}
companion_again() {
  tunnel_run one
  within 15 "${1:-the next companion}: the tunnel is up" tunnel_up one
}

# capture_names_control: after capture_start; a query of the host's own, which the capture must see.
capture_names_control() {
  fresh_name
  dns_query 192.168.77.1 "$NAME" >/dev/null
  check 'the capture sees a query on purpose' wait_until 3 capture_has 'udp dst port 53'
  CAPTURE_NAMES_CONTROL=$(capture_count 'port 53')
  is 'and only that one so far' "$CAPTURE_NAMES_CONTROL" 1
}
# capture_names_stop WHAT [PERMITTED…]: no other query was seen, and nothing stray but what is permitted.
capture_names_stop() {
  capture_stop
  is "$1: no query left the machine but the one on purpose" "$(capture_count 'port 53')" "$CAPTURE_NAMES_CONTROL"
  empty "$1: nothing else left the machine outside the tunnel" \
    "$(capture_stray "$CAPTURE_ONE" '(host 192.168.77.1 and udp port 53)' "${@:2}")"
}
