# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A mistake in a file, mended: the next order or launch uses what is there now, in every state but up, and says
# what is wrong if something still is. And [access], applied by whatever has the profile read again.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10
state() { sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p' "/run/vpnrun/$1/state.json"; }
goes_through() { [ "$(by "${1:-alice}" vpnrun -p one --wait 15 curl -s -m 5 $WEB4)" = $THROUGH ]; }
break_profile() { sed -i 's/^type = "openvpn"/typ = "openvpn"/' "$PROFILES/one.toml"; }
mend_profile() { sed -i 's/^typ = "openvpn"/type = "openvpn"/' "$PROFILES/one.toml"; }

profile_one
tunnel_start one

# --- down ---
by alice vpnrunctl down one
break_profile
attempt by alice vpnrunctl up one
is 'down, and the profile has a mistake: up fails' "$STATUS" 1
complains 'with the place' "one\.toml:[0-9]+:1: unknown key 'typ'"
is 'the state is failed' "$(state one)" failed
like 'with the reason' "$(by alice vpnrunctl status one)" "error +.*unknown key 'typ'"
like 'the log has it already' "$(by alice vpnrunctl log one)" "'one': cannot start: .*unknown key 'typ'"
attempt by alice vpnrun true
is 'a launch fails as well' "$STATUS" 125
complains 'with the place' "unknown key 'typ'"
mend_profile
check 'mended, the next launch works' goes_through

# --- up: nothing is read that nobody asked for ---
break_profile
check 'up, a launch works whatever the file says now' goes_through
attempt by alice vpnrunctl restart one
is 'a restart is refused' "$STATUS" 1
is 'and the tunnel stays up' "$(state one)" up
like 'which the log says' "$(by alice vpnrunctl log one)" "'one': cannot restart, going on as before: .*unknown key"
mend_profile

# --- starting: a server that is not there ---
ovpn_one "$PROFILES/one.ovpn" client '198.51.100.99 1194'
attempt by alice vpnrunctl restart --wait 2 one
is 'a server that is not there does not answer' "$STATUS $(state one)" '1 starting'
ovpn_one "$PROFILES/one.ovpn"
check 'with the right one the next launch works' goes_through

# --- failed for good ---
tunnel_stop one
profile_two 'wrong password'
sed -i 's/^users = .*/users = ["alice"]/' "$PROFILES/two.toml"
profile_two
tunnel_start two
printf '%s\n' subscriber wrong >"$PROFILES/two.auth"
attempt by alice vpnrunctl restart two
is 'a wrong password fails' "$STATUS $(state two)" '1 failed'
printf '%s\n' subscriber 'correct horse' >"$PROFILES/two.auth"
check 'mended, the next launch works' eval '[ "$(by alice vpnrun -p two --wait 15 curl -s -m 5 $WEB4)" = 198.51.100.20 ]'

# --- [access] ---
tunnel_run one
within 15 'up again' tunnel_up one
attempt by bob vpnrun -p one true
is 'bob is not admitted' "$STATUS" 125
like 'and told what to do' "$ERR" "hint: as root: name the user under \[access\] in $PROFILES/one\.toml, then: .*prepare one"
sed -i 's/^users = .*/users = ["bob", "no-such-user"]/' "$PROFILES/one.toml"
attempt vpnrunctl restart one
is 'named, after a restart' "$STATUS" 0
# told VERB REGEX: vpnrunctl says so. (The look-up of names and the connection are under way at once.)
told() { grep -Eq "warning: $2" <<<"$(vpnrunctl "$1" one 2>&1)"; }
within 15 'whoever restarts is told of a name that nobody has, and where' \
  told restart "$PROFILES/one\.toml:[0-9]+:[0-9]+: \[access\] users names 'no-such-user', which does not exist"
check 'bob is' goes_through bob
attempt by alice vpnrun -p one true
is 'and alice, who was taken out, is not' "$STATUS" 125
like 'the status says what is left out' "$(by bob vpnrunctl status one)" "warning +.*'no-such-user'"
sed -i 's/^users = .*/users = ["alice", "bob"]/' "$PROFILES/one.toml"
background "$LAB/log/app-bobs" by bob vpnrun -p one sleep 300
kill -HUP "${TUNNEL_PID[one]}"
within 10 'a reload admits alice' eval 'by alice test -x /run/vpnrun/one/'
within 15 'up again' tunnel_up one
unlike 'and nothing is left out any more' "$(by bob vpnrunctl status one)" warning
sed -i 's/^users = .*/users = ["alice"]/' "$PROFILES/one.toml"
kill -HUP "${TUNNEL_PID[one]}"
within 10 'a reload takes bob out' eval '! by bob test -x /run/vpnrun/one/'
like 'what he has running inside stays' "$(vpnrunctl ps one)" 'bob +sleep 300'
attempt by bob vpnrunctl status one
is 'he starts and asks nothing more' "$STATUS" 1

# --- a user of the VPN clients: refused, and nothing half applied ---
echo 'likeaclient:x:60710:60710::/:/bin/sh' >>/etc/passwd
sed -i 's/^users = .*/users = ["alice", "likeaclient"]/' "$PROFILES/one.toml"
within 15 'a user whom nobody may admit is told' \
  told restart "\[access\] is as it was: .*'likeaclient', whose number is reserved"
check 'who was admitted still is' by alice test -x /run/vpnrun/one/
tunnel_release one
tunnel_release two
