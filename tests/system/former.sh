# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The last release and this version side by side, as an upgrade has them:
#   former companion    its companion, and this version's vpnrun, vpnrunctl and helper
#   former client       this version's companion and helper, and its vpnrun and vpnrunctl
# 0.1.0 refuses a reply, and a state.json, with anything in it that it does not know.
KIND=$1
WEB=http://203.0.113.10/
mkdir -m 0755 "$LAB/former"
dpkg-deb -x "$FORMER" "$LAB/former"
FORMER_TUNNEL=$LAB/former/usr/libexec/vpnrun/vpnrun-tunnel
NEW_TUNNEL=$TUNNEL
FORMER_PATH=$LAB/former/usr/bin:$PATH
like 'control: the former programs are the former ones' \
  "$("$LAB/former/usr/bin/vpnrun" --version) $("$LAB/former/usr/bin/vpnrunctl" --version) $("$FORMER_TUNNEL" --version)" \
  '^vpnrun 0\.1\.0 vpnrunctl 0\.1\.0 0\.1\.0$'
unlike 'control: and the others are not' "$(vpnrun --version) $("$TUNNEL" --version)" '0\.1\.0'

# start NAME: prepared and run by the companion of this test, with the records that an upgrade leaves.
start() {
  if [ "$KIND" = companion ]; then
    "$FORMER_TUNNEL" prepare "$1"
    TUNNEL=$FORMER_TUNNEL
    tunnel_run "$1"
    TUNNEL=$NEW_TUNNEL
    wait_until 10 test -S "/run/vpnrun/$1/control" || lab_die "no companion of '$1'"
    "$NEW_TUNNEL" prepare "$1"  # as the package has it done
  else
    tunnel_prepare "$1"
    tunnel_run "$1"
    wait_until 10 test -S "/run/vpnrun/$1/control" || lab_die "no companion of '$1'"
  fi
}
# As alice, with the client of this test first in PATH.
CLIENT=(by alice env PATH="$FORMER_PATH")
[ "$KIND" = client ] || CLIENT=(by alice)
# ctl WORD…: sets STATUS, OUT and ERR.
ctl() { attempt "${CLIENT[@]}" vpnrunctl "$@"; }
works() { is "$1: status 0, and nothing is complained about" "$STATUS $(grep -E 'cannot|unknown|error' <<<"$ERR")" '0 '; }
on_socket() { readlink "/proc/$1/exe"; }

profile_one
start one
within 15 'the tunnel comes up' tunnel_up one
is 'by the companion of this test' "$(on_socket "${TUNNEL_PID[one]}")" \
  "$([ "$KIND" = companion ] && echo "$FORMER_TUNNEL" || echo "$NEW_TUNNEL")"

HELLO=$(printf '%s\n' '{"command":"hello"}' | socat -t 20 - UNIX-CONNECT:/run/vpnrun/one/control)
if [ "$KIND" = companion ]; then
  like 'control: it does not know hello' "$HELLO" "^\{\"ok\":false,\"error\":\"cannot parse request: unknown command 'hello'\""
else
  like 'control: it has something to say that the client could not read' "$HELLO" '"features":\["answer",'
fi

ctl status one
works status
like 'status: up' "$OUT" '^ +state +up since'
ctl status one --json
works 'status --json'
like 'status --json: the state' "$OUT" '^ *"state": "up",$'
ctl list
works list
like 'list: up' "$OUT" '^one +up +admitted'
is 'an application is launched' "$("${CLIENT[@]}" vpnrun -p one curl -sS -m 5 $WEB)" 198.51.100.10

# The launcher asks the companion, and not the lock, when it talks.
attempt "${CLIENT[@]}" vpnrun -v -p one curl -sS -m 5 $WEB
is 'an application is launched by who asks the companion' "$STATUS $OUT" '0 198.51.100.10'

ctl restart one
works restart
like 'restart: up' "$ERR" ': up$'
ctl down one
works down
like 'down: it is' "$ERR" ': down$'
attempt "${CLIENT[@]}" vpnrun --no-start -p one true
is 'a launch that may not start it fails' "$STATUS" 125
complains 'such a launch' 'it is down'
ctl up --wait 20 one
works 'up, and wait'
like 'up: it is' "$ERR" ': up$'
attempt "${CLIENT[@]}" vpnrunctl down one
is 'a launch starts it, follows its states and waits' "$("${CLIENT[@]}" vpnrun --wait 20 -p one curl -sS -m 5 $WEB)" 198.51.100.10

# What is read of state.json: where systemd runs the machine, whether there is a companion; then what it died of.
mkdir -p /run/systemd/system
ctl status one
rmdir /run/systemd/system
works 'status, under systemd'
like 'status, under systemd: state.json says that there is a companion' "$OUT" '^ +state +up since'
tunnel_stop one
cp /run/vpnrun/one/state.json "$LAB/tmp/state"
sed -i 's/"state": *"down"/"state": "failed"/; s/"error": *""/"error": "its last words"/' "$LAB/tmp/state"
cp "$LAB/tmp/state" /run/vpnrun/one/state.json
ctl status one
works 'status, without a companion'
like 'status, without a companion: the last words of the one before' "$OUT" 'its last words'
"$NEW_TUNNEL" release one

# --- questions and answers ---
logins_raise
login_server static 1301 check-static
profile_login static 1301 'static-challenge "Your PIN" 1'
sed -i '/^credentials/d' "$PROFILES/static.toml"
start static
within 10 'the client asks' waits_for static 'user name, password and one-time password'
one_time 111111
typing "${CLIENT[@]}" vpnrunctl up static <<'END'
User name:	subscriber
Password:	correct horse
The server asks: Your PIN:	111111
END
is 'user name, password and one-time password are asked for and answered' "$STATUS" 0
is 'the server has seen them once' "$(logins)" taken
within 5 'and the tunnel is up' tunnel_up static
tunnel_stop static
"$NEW_TUNNEL" release static

# --- a launch that waits while the companion is replaced by that of this version ---
# It is killed: one that ends in order says "down" before, which a launch takes for somebody's order.
"$FORMER_TUNNEL" prepare one
server_silent
background "$LAB/log/socket-unit" python3 "$SOURCE/tests/probes/socket_unit.py" /run/vpnrun/one/control one \
  "$FORMER_TUNNEL" "$NEW_TUNNEL"
UNIT=$BACKGROUND
within 5 'a socket unit listens' test -S /run/vpnrun/one/control
companion() { awk -v n="$1" '/^companion / && ++count == n { print $2 }' "$LAB/log/socket-unit"; }
runs() { [ -n "$(companion "$1")" ] && grep -q "\"pid\": *$(companion "$1")," /run/vpnrun/one/state.json; }
background "$LAB/log/launch" "${CLIENT[@]}" vpnrun --wait 60 -p one curl -sS -m 5 $WEB
LAUNCH=$BACKGROUND
within 10 'a launch starts the former companion' runs 1
is 'control: it is the former one' "$(on_socket "$(companion 1)")" "$FORMER_TUNNEL"
within 10 'and waits' grep -q '"state": *"starting"' /run/vpnrun/one/state.json
kill -9 "$(companion 1)"
within 15 'then there is that of this version' runs 2
is 'control: it is the new one' "$(on_socket "$(companion 2)")" "$NEW_TUNNEL"
check 'the launch still waits' kill -0 "$LAUNCH"
server_talks
within 30 'the launch ends' gone "$LAUNCH"
is 'and was through the tunnel' "$(cat "$LAB/log/launch")" 198.51.100.10
kill "$(companion 2)"
within 10 'the socket unit ends' gone "$UNIT"
"$NEW_TUNNEL" release one
