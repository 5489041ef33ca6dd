# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests/demo plays in the lab.
WEB4=http://203.0.113.10/
WEB6='http://[2001:db8:cb::10]/'
BOLD='' GREEN='' RED='' PLAIN=''
if [ -t 1 ]; then
  BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi
WRONG=0

chapter() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
say() { printf '  %s\n' "$@"; }

# show USER COMMAND…: the command as typed, then what it prints. Sets SAID and STATUS.
show() {
  local user=$1
  shift
  printf '  %s$ %s\n' "$user" "$*"
  STATUS=0
  SAID=$(by "$user" timeout 20 "$@" 2>&1) || STATUS=$?
  printf '%s\n' "$SAID" | sed 's/^/      /'
}

# expect WHAT GOT EXPECTED
expect() {
  if [ "$2" = "$3" ]; then
    printf '  %s[ok]%s %s\n' "$GREEN" "$PLAIN" "$1"
  else
    printf '  %s[WRONG]%s %s: expected %s, got %s\n' "$RED" "$PLAIN" "$1" "'$3'" "'$2'"
    WRONG=$((WRONG + 1))
  fi
}

# What vpnrun could leave behind.
remains() {
  ip -o link | awk -F ': ' '{ print $2 }'
  ip route
  ip netns list
  nft list ruleset
  cat /etc/resolv.conf
  ls -A /run
  clients || :
}

chapter '1. A machine on the Internet'
say 'A private machine with two users. A web server outside tells each visitor the address that it sees.'
show alice curl -s $WEB4
expect 'the machine'"'"'s own address' "$SAID" 203.0.113.1
show alice curl -s "$WEB6"
expect 'and over IPv6' "$SAID" 2001:db8:77::2

chapter '2. A profile for alice, and its tunnel'
profile_one
remains >"$LAB/tmp/before"
sed 's/^/      /' "$PROFILES/one.toml"
tunnel_start one
say "The tunnel to a real OpenVPN server is up after $WAITED ms."

chapter '3. One application behind the tunnel, the rest of the machine as before'
show alice vpnrun curl -s $WEB4
expect 'vpnrun: the address of the VPN server' "$SAID" 198.51.100.10
show alice vpnrun curl -s "$WEB6"
expect 'and over IPv6' "$SAID" 2001:db8:51::10
show alice curl -s $WEB4
expect 'without vpnrun, a moment later: the machine'"'"'s own' "$SAID" 203.0.113.1
expect 'no route of the machine leads into a tunnel' "$(ip route | awk '/tun|198\.51\.100\.10/')" ''

chapter '4. A user whom the profile does not admit'
show bob vpnrun curl -s $WEB4
expect 'is refused (125), and nothing was run' "$STATUS" 125

chapter '5. OpenVPN dies while an application runs'
say 'alice starts a program that asks for its address again and again.'
# shellcheck disable=SC2016
background "$LAB/log/app" by alice vpnrun bash -c \
  'while :; do curl -sS -m 1 '$WEB4' 2>&1 || :; sleep 0.1; done'
APP=$BACKGROUND
wait_until 5 grep -q 198.51.100.10 "$LAB/log/app" || expect 'the program is online' no yes
# What the program has said since the last call; and the same in short.
SEEN=0
news() { tail -n "+$((SEEN + 1))" "$LAB/log/app"; }
report() {
  say 'The program says:'
  news | uniq -c | sed -E 's/^ *([0-9]+) (.*)/      \1 times: \2/'
  SEEN=$(wc -l <"$LAB/log/app")
}
report
capture_start
say 'From here on every packet that leaves the machine is recorded. One was sent on purpose, outside the' \
  'tunnel, and the recording has it. The VPN server is made deaf for a while, and OpenVPN is killed.'
CLIENT=$(client_pid one)
printf '  root$ kill -9 %s    (openvpn)\n' "$CLIENT"
server_silent
# On a very slow machine it has noticed the silence before, and is gone.
kill -9 "$CLIENT" 2>/dev/null || :
SEEN=$(wc -l <"$LAB/log/app")
wait_until 3 eval 'news | grep -q curl:' || expect 'the program notices' no yes
sleep 2 # for it to be answered, if there were a way
SAID=$(news | awk '/^[0-9]/')
report
expect 'it got no answer from anywhere' "$SAID" ''
server_talks
say 'The VPN server listens again; nobody touches the program.'
ONLINE=no
wait_until 20 eval 'news | grep -q 198.51.100.10' && ONLINE=yes
report
expect 'the same program is back online, through the tunnel' "$ONLINE" yes
expect 'and still the same process' "$(ps -o comm= -p "$APP")" bash
capture_stop
expect 'packets that left the machine outside the tunnel in all that time' "$(capture_stray "$CAPTURE_ONE" | wc -l)" 0
say 'A second packet, sent on purpose at the end, is in the recording too: it missed nothing.'
kill_hard "$APP"

chapter '6. Nothing is left'
tunnel_release one
remains >"$LAB/tmp/after"
expect 'links, routes, namespaces, firewall, name service, files, processes: as before' \
  "$(diff "$LAB/tmp/before" "$LAB/tmp/after")" ''

if [ "$WRONG" -gt 0 ]; then
  chapter "$WRONG steps went wrong."
  tail -n 30 "$LAB/log/tunnel-one"
else
  chapter 'Everything worked.'
fi
exit $((WRONG > 0))
