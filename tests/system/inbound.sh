# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A port from the tunnel is opened and closed while the tunnel is up, by root alone, without connecting anew: the
# provider forwards another one at each connection. It is kept when the tunnel reconnects and gone after a restart,
# which opens what the profile says.
profile_one
printf '[ports]\ninbound = ["tcp/51413"]\n' >>"$PROFILES/one.toml"
tunnel_start one
CLIENT=$(client_pid one)
listen() {
  background "$LAB/log/app-$1-$2" by alice vpnrun socat "${1^^}4-LISTEN:$2,fork,reuseaddr" SYSTEM:'echo reached'
  within 5 "an application listens on $1/$2" \
    eval "[ -n \"\$(ip netns exec one ss -H${1:0:1}ln 'sport = :$2')\" ]"
}
address() { ip -n one -o -4 address show dev tun0 | awk '{ sub("/.*", "", $4); print $4 }'; }
reached() { [ "$(on vpn timeout 3 socat -u "TCP4:$(address):$1,connect-timeout=2" - 2>/dev/null)" = reached ]; }
reached_by_udp() { [ "$(echo x | on vpn timeout 3 socat -T 1 - "UDP4:$(address):$1" 2>/dev/null)" = reached ]; }
inbound() { vpnrunctl inbound one "$@"; }
status_says() { vpnrunctl status one | grep -Eq "^ *inbound +$1\$"; }
same_client() { [ "$(client_pid one)" = "$CLIENT" ]; }
listen tcp 51413
listen tcp 38497
listen udp 38497

is 'at first the profile says what is open' "$(inbound)" tcp/51413
within 5 'positive control: that is reached' reached 51413
check 'another port is closed' eval '! reached 38497'
check 'over UDP as well' eval '! reached_by_udp 38497'

attempt by alice vpnrunctl inbound one add tcp/38497
is 'somebody who is admitted does not open one' "$STATUS" 1
complains 'and is told so' 'only root may order that'
check 'it is still closed' eval '! reached 38497'
is 'he may look' "$(by alice vpnrunctl inbound one list)" tcp/51413
attempt inbound add tcp/0
is 'what is no port is refused' "$STATUS" 2

check 'root opens it' inbound add tcp/38497 udp/38497
within 5 'it is reached' reached 38497
within 5 'over UDP as well' reached_by_udp 38497
check 'the other one is as it was' reached 51413
check 'the tunnel was not connected anew' same_client
check 'the status says so' status_says 'tcp/51413, tcp/38497, udp/38497'
is 'and so does JSON' "$(inbound --json | tr -d ' \n')" '["tcp/51413","tcp/38497","udp/38497"]'
check 'state.json is as 0.1.0 reads it' eval '! grep -q inbound /run/vpnrun/one/state.json'
check 'doing it twice is no error' inbound add tcp/38497
check 'reading the profile for access leaves it' "$TUNNEL" prepare one
check 'it is reached still' reached 38497

kill -9 "$CLIENT"
within 15 'after a reconnect' eval '! same_client && tunnel_up one'
within 5 'it is open still' reached 38497
vpnrunctl down one
attempt by alice vpnrun true
like 'the launch that brings the tunnel up says what is open' "$ERR" \
  "^vpnrun: exceptions of profile 'one': its programs can be reached through the tunnel at tcp/51413, tcp/38497, .*\(ports\.inbound\)$"
attempt by alice vpnrun true
empty 'the next one does not' "$ERR"
within 5 'also after down and up' reached 38497

check 'root closes it' inbound remove tcp/38497
check 'it is closed' eval '! reached 38497'
within 5 'over UDP it is not' reached_by_udp 38497
check 'the profile'"'"'s own can be closed as well' inbound remove tcp/51413
check 'and is' eval '! reached 51413'
vpnrunctl restart one
is 'after a restart the profile says what is open' "$(inbound)" tcp/51413
within 5 'and it is' reached 51413
check 'and nothing else' eval '! reached_by_udp 38497'
tunnel_stop one
attempt inbound add tcp/38497
is 'without a companion nothing is opened' "$STATUS" 1
empty 'and nothing is open' "$(inbound list 2>/dev/null)"
tunnel_release one
