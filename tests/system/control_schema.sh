# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Every line that companions send, and every state.json that they write, is as the schema in the package says: to
# a client that has said hello and to one that has not, through questions, answers, refusals, up, a lost server,
# restart, down, failure, and the end.
SCHEMA=$(dirname "$(dirname "$(dirname "$TUNNEL")")")/share/vpnrun/control.schema.json
RECORD=$LAB/log/record
FOLLOW='{"command":"status","follow":true}'
HELLO='{"command":"hello"}'
check 'the schema is installed' test -s "$SCHEMA"

# follow NAME: two clients that record what is said; their pids in FOLLOWERS.
FOLLOWERS=()
follow() {
  background "$LAB/log/greeted-$1" python3 "$SOURCE/tests/probes/record_control.py" "$1" "$HELLO" "$FOLLOW"
  FOLLOWERS+=("$BACKGROUND")
  background "$LAB/log/strict-$1" python3 "$SOURCE/tests/probes/record_control.py" "$1" "$FOLLOW"
  FOLLOWERS+=("$BACKGROUND")
  within 5 "$1: both clients have an answer" heard "$1"
}
heard() { grep -q '^reply' "$LAB/log/greeted-$1" && grep -q '^reply' "$LAB/log/strict-$1"; }
# order NAME REQUEST: its answer is recorded as well, and is OUT.
order() {
  OUT=$(printf '%s\n' "$2" | socat -t 20 - "UNIX-CONNECT:/run/vpnrun/$1/control")
  printf 'reply\t%s\n' "$OUT" >>"$RECORD"
}
question_id() { sed -n '/"question"/,/}/s/^ *"id": \([0-9]*\),$/\1/p' "/run/vpnrun/$1/state.json"; }
ended() { gone "${TUNNEL_PID[$1]}"; }

# --- questions, and all that goes well ---
logins_raise
login_server static 1301 check-static
profile_login static 1301 'static-challenge "Your PIN" 1'
tunnel_prepare static
tunnel_run static
within 10 'a one-time password is asked for' waits_for static one-time
follow static
order static '{"command":"answer","question_id":999999,"response":"000000"}'
like 'an answer to another question is refused' "$OUT" '^\{"ok":false'
for request in '{"command":"up","server":"se-1"}' '{"command":"explode"}' 'nonsense' '[]' '{"command":"answer"}' \
  "{\"command\":\"up\",\"$(printf '%05000d' 0)\":1}"; do
  order static "$request"
  like "refused: ${request:0:40}" "${OUT:-hung up}" '^\{"ok":false|^hung up'
  sed -i '/^reply\t$/d' "$RECORD"  # to too long a line there is no answer
done
one_time 111111
order static "{\"command\":\"answer\",\"question_id\":$(question_id static),\"response\":\"000000\"}"
within 15 'a wrong answer brings another question' eval 'grep -q refused "$LAB/log/logins" && waits_for static one-time'
order static "{\"command\":\"answer\",\"question_id\":$(question_id static),\"response\":\"111111\"}"
within 15 'a right one brings the tunnel up' tunnel_up static
order static '{"command":"down"}'
within 10 'down' is_in_state static down
tunnel_stop static
wait "${FOLLOWERS[@]}"
FOLLOWERS=()

profile_one
tunnel_prepare one
tunnel_run one
within 15 'a tunnel without questions comes up' tunnel_up one
follow one
kill -9 "$(client_pid one)"
within 10 'its client is killed: it reconnects' grep -q '"state":"reconnecting"' "$LAB/log/greeted-one"
within 15 'and is up again' tunnel_up one
order one '{"command":"restart"}'
within 15 'a restart' eval 'grep -q "\"state\":\"starting\"" "$LAB/log/greeted-one" && tunnel_up one'
tunnel_stop one
wait "${FOLLOWERS[@]}"
FOLLOWERS=()

# --- failure ---
profile_two 'wrong password'
tunnel_prepare two
server_silent
tunnel_run two
within 5 'a companion with a wrong password listens' test -S /run/vpnrun/two/control
follow two
server_talks
within 20 'it gives up and ends' ended two
wait "${FOLLOWERS[@]}"
is 'its state says so' "$(state_of two)" failed

# --- a tunnel without a VPN ---
printf '%s\n' '[tunnel]' 'type = "none"' '[access]' 'users = ["alice"]' >"$PROFILES/bare.toml"
tunnel_prepare bare
tunnel_run bare
within 5 'a profile without a tunnel' is_in_state bare up
order bare "$HELLO"
tunnel_stop bare

# --- all of it ---
for name in static one two bare; do
  [ "$name" = bare ] || cat "$LAB/log/greeted-$name" "$LAB/log/strict-$name"
  printf 'status\t%s\n' "$(tr -d '\n' <"/run/vpnrun/$name/state.json")"
done >>"$RECORD"
check 'every line is as the schema says' python3 "$SOURCE/tests/probes/control_schema.py" "$SCHEMA" <"$RECORD"
for state in down starting up reconnecting failed; do
  like "control: among them is a reply of a tunnel that is $state" "$(grep -c "^reply.*\"state\":\"$state\"" "$RECORD")" '^[1-9]'
  [ "$state" = reconnecting ] ||
    like "control: and a state.json, $state" "$(grep -c "^status.*\"state\": \"$state\"" "$RECORD")" '^[1-9]'
done
like 'control: a question with a challenge' "$(grep -c '^reply.*"challenge":"Your PIN"' "$RECORD")" '^[1-9]'
empty 'who has not said hello is sent no list of features' "$(grep -h '^reply.*features' "$LAB"/log/strict-* || :)"
empty 'nor has state.json one' "$(grep '^status.*features' "$RECORD" || :)"
empty 'who has said it is sent one with each reply' \
  "$(grep -h '^reply' "$LAB"/log/greeted-* | grep -v '"features":\["answer","asks","follow","inbound","log","one-time-passwords","restart"\]' || :)"
sed '0,/"mtu"/s//"mtv"/' "$RECORD" >"$LAB/tmp/damaged"
like 'control: a record with one other name in it is found' \
  "$(python3 "$SOURCE/tests/probes/control_schema.py" "$SCHEMA" <"$LAB/tmp/damaged" || :)" "^wrong .*mtv"
for name in static one two bare; do
  "$TUNNEL" release "$name"
done
