# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The user name and password of a credentials file, the private key of an .ovpn file, the passphrase of
# one and a one-time password, whether typed, from systemd's credentials or a password agent's, are nowhere
# that they need not be: no log at the most verbose level, no state, no command line, no environment, and
# no file below /run/vpnrun that others could read.

profile_one
profile_two
# "one" with its key under a passphrase; "dynamic" with a challenge, and nothing in a file of its profile.
openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$LAB/tls/client.key" -out "$LAB/tls/locked.key" -passout pass:sesame-4712
cp "$LAB/tls/client.crt" "$LAB/tls/locked.crt"
ovpn_one "$PROFILES/one.ovpn" locked
logins_raise
login_server dynamic 1303 check-dynamic
profile_login dynamic 1303
rm "$PROFILES/dynamic.auth"
sed -i '/^credentials/d' "$PROFILES/dynamic.toml"
CREDENTIALS=/run/credentials/lab
(umask 077; mkdir -p $CREDENTIALS /run/systemd/ask-password)
printf '%s\n' subscriber 'correct horse' >$CREDENTIALS/vpnrun.auth
echo sesame-4712 >$CREDENTIALS/vpnrun.passphrase
chmod 0400 $CREDENTIALS/*
sed -i 's/^verb .*/verb 6/' "$PROFILES/one.ovpn" "$PROFILES/two.ovpn" "$PROFILES/dynamic.ovpn"

# Longer than what a string has room for within itself: what is left of it is in a buffer.
TYPED=4713-once-and-for-all-of-the-buffers-that-a-line-goes-through-on-its-way-to-the-client

# A secret a line; the first is planted in every kind of place, and must be found there.
SECRETS=$LAB/tmp/secrets
(umask 077; touch "$SECRETS")
PLANTED=planted-4711
printf '%s\n' $PLANTED subscriber 'correct horse' "$(printf 'correct horse' | base64)" \
  "$(printf subscriber | base64)" sesame-4712 $TYPED 4714-once CRV1: >"$SECRETS"
OTHERS=$(grep -c . "$SECRETS")
# The key: each long line of its base64 by itself.
grep -v PRIVATE "$LAB/tls/locked.key" | grep -E '^.{20,}' >>"$SECRETS"
KEY=$(($(grep -c . "$SECRETS") - OTHERS))
like 'the key is in the configuration (control)' "$KEY $(tail -n "$KEY" "$SECRETS" | grep -cFf - "$PROFILES/one.ovpn")" '^([1-9][0-9]*) \1$'
is 'the password is in the credentials file (control)' "$(grep -cFf "$SECRETS" "$PROFILES/two.auth")" 2

# The provider's own processes know its subscribers.
python3 "$SOURCE/tests/probes/watch_secrets.py" "$SECRETS" "$(stat -L -c %i "$LAB/ns/vpn")" >"$LAB/log/watch" 2>&1 &
watcher=$!
wait_until 5 grep -q watching "$LAB/log/watch"

# in_files FILE…: which of them have a secret in them, and which, as "FILE NUMBER".
in_files() {
  local number=0 secret
  while IFS= read -r secret; do
    number=$((number + 1))
    grep -lF -f <(printf '%s\n' "$secret") "$@" /dev/null 2>/dev/null | sed "s/\$/ $number/" || :
  done <"$SECRETS"
}
# but_planted: what else was found.
but_planted() { grep -v ' 1$' || :; }
# readable: the files below /run/vpnrun that anybody but root could read, if he gets there.
readable() {
  local file
  find /run/vpnrun -type f | while read -r file; do
    [ -z "$(find "$file" -perm /044)" ] && [ "$(stat -c %u "$file")" = 0 ] &&
      ! getfacl -cp "$file" 2>/dev/null | grep -q '^\(user\|group\):[^:]' || echo "$file"
  done
}
# read_by_alice: the files below /run/vpnrun in which she finds any. (The secrets by a descriptor: the file
# is closed to her.)
read_by_alice() {
  find /run/vpnrun -type f -exec setpriv --reuid=alice --regid=alice --init-groups grep -lF -f - {} + \
    2>/dev/null <"$SECRETS" || :
}
# looked_through WHEN: the files, as they are now.
looked_through() {
  mapfile -t files < <(readable)
  empty "$1: nothing in what others can read below /run/vpnrun (${#files[@]} files)" \
    "$(in_files "${files[@]}" | but_planted)"
  empty "$1: nothing in a state" "$(in_files /run/vpnrun/*/state.json | but_planted)"
  empty "$1: nothing in what alice can read there" "$(read_by_alice | grep -v '/planted$' || :)"
  empty "$1: nothing in a log of the companion" "$(in_files "$LAB"/log/tunnel-* | but_planted)"
  for name in one two dynamic; do
    vpnrunctl --json status $name
    vpnrunctl status $name
  done >"$LAB/tmp/status" 2>&1 || :
  empty "$1: nothing in vpnrunctl status" "$(in_files "$LAB/tmp/status")"
  for name in one two dynamic; do
    by alice vpnrunctl log -n all $name
    by alice vpnrunctl log -n all --json $name
  done >"$LAB/tmp/shown-log" 2>&1 || :
  empty "$1: nothing in vpnrunctl log" "$(in_files "$LAB/tmp/shown-log")"
}

for name in one two dynamic; do
  "$TUNNEL" -v prepare $name >>"$LAB/log/tunnel-$name" 2>&1
  CREDENTIALS_DIRECTORY=$CREDENTIALS "$TUNNEL" -v run $name >>"$LAB/log/tunnel-$name" 2>&1 </dev/null &
  TUNNEL_PID[$name]=$!
done
# Where it could be planted, beside what the companion makes.
printf '%s\n' $PLANTED >/run/vpnrun/one/planted
chmod 0644 /run/vpnrun/one/planted
echo $PLANTED >"$LAB/log/tunnel-planted"
bash -c "exec -a $PLANTED sleep 0.5" &
env PLANTED=$PLANTED sleep 0.5 &

wait_until 15 tunnel_up one && wait_until 15 tunnel_up two
pass 'both tunnels are up'
one_time $TYPED
wait_until 10 waits_for dynamic 'one-time'
looked_through 'while a one-time password is asked for'
typing by alice vpnrunctl up dynamic <<<"The server asks: .*:	$TYPED"
is 'a typed one is right (control)' "$STATUS $(logins)" '0 challenged taken'
like 'the log is a verbose one (control)' "$(cat "$LAB"/log/tunnel-one)" 'VERIFY OK|Control Channel|left out'
looked_through 'up'
like 'control: alice is shown each log' "$(grep -c "'\(one\|two\|dynamic\)' is up" "$LAB/tmp/shown-log")" '^6$'
unlike "and none of the client's own words" "$(cat "$LAB/tmp/shown-log")" 'VERIFY OK|Control Channel|PUSH'

# What was typed, read and handed on is not in the companions' own memory any more.
PASSED_ON=$LAB/tmp/passed-on
(umask 077; printf '%s\n' vpnrun-tunnel 'correct horse' "$(printf 'correct horse' | base64)" sesame-4712 $TYPED >"$PASSED_ON")
in_memory() { python3 "$SOURCE/tests/probes/find_in_memory.py" "${TUNNEL_PID[$1]}" "$PASSED_ON"; }
for name in one two dynamic; do
  like "control: in the memory of the companion of '$name' something is found" "$(in_memory $name)" '^1 '
  empty "no password, passphrase or one-time password is in it" "$(in_memory $name | grep -v '^1 ')"
done

kill -HUP "${TUNNEL_PID[one]}" "${TUNNEL_PID[two]}"
wait_until 5 eval '! tunnel_up two' || :
wait_until 15 tunnel_up one && wait_until 15 tunnel_up two
by alice vpnrun -p two curl -s -m 5 http://203.0.113.10/ >/dev/null || :
one_time 4714-once
kill -HUP "${TUNNEL_PID[dynamic]}"
agents_asked() { grep -q '^Message=.*asks' /run/systemd/ask-password/ask.*; }
wait_until 15 agents_asked
typing systemd-tty-ask-password-agent --query <<<'asks.*	4714-once'
wait_until 15 tunnel_up dynamic
is 'an agent has answered, too (control)' "$(logins)" 'challenged taken challenged taken'
looked_through 'after a restart'
mapfile -t files < <(find /run/systemd/ask-password -type f)
empty 'nor in what agents are given' "$(in_files "${files[@]}")"

like 'control: the planted secret is found in a file below /run/vpnrun' "$(in_files /run/vpnrun/one/*)" '^/run/vpnrun/one/planted 1$'
like 'control: such a file counts as readable by others' "$(readable)" '^/run/vpnrun/one/planted$'
like 'control: alice finds it there' "$(read_by_alice)" '^/run/vpnrun/one/planted$'
like 'control: the planted secret is found in a log' "$(in_files "$LAB"/log/tunnel-*)" "^$LAB/log/tunnel-planted 1\$"
cp /run/vpnrun/two/state.json "$LAB/tmp/state.json"
sed -i "s/\"up\"/\"$PLANTED\"/" "$LAB/tmp/state.json"
like 'control: the planted secret is found in a state' "$(in_files "$LAB/tmp/state.json")" ' 1$'

tunnel_stop one
tunnel_stop two
tunnel_stop dynamic
rm /run/vpnrun/one/planted
looked_through 'down'
"$TUNNEL" -v release one >>"$LAB/log/tunnel-one" 2>&1
"$TUNNEL" -v release two >>"$LAB/log/tunnel-two" 2>&1
"$TUNNEL" -v release dynamic >>"$LAB/log/tunnel-dynamic" 2>&1
empty 'released: nothing in a log of the companion' "$(in_files "$LAB"/log/tunnel-* | but_planted)"

check 'the watcher still watches' kill -0 $watcher
kill $watcher
like 'control: the planted secret is found in a command line' "$(cat "$LAB/log/watch")" '^cmdline 1 sleep$'
like 'control: the planted secret is found in an environment' "$(cat "$LAB/log/watch")" '^environ 1 sleep$'
empty 'no secret was in a command line or an environment' "$(grep -v -e '^watching$' -e ' 1 ' "$LAB/log/watch" || :)"
