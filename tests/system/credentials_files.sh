# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Where credentials come from that nobody types: the profile's file, the configuration's, and what systemd
# hands to the unit ($CREDENTIALS_DIRECTORY), for user name and password and for the passphrase of a key.

# As systemd makes it: root's, closed, the files read-only.
CREDENTIALS=/run/credentials/vpnrun@two.service
(umask 077; mkdir -p $CREDENTIALS)
give() {
  rm -f $CREDENTIALS/"$1"
  install -m 0400 /dev/stdin $CREDENTIALS/"$1"
}
# run_with NAME: as the unit would.
run_with() { CREDENTIALS_DIRECTORY=$CREDENTIALS tunnel_run "$1"; }
# ends_saying NAME REGEX WHAT
ends_saying() {
  within 15 "$3: the companion ends" gone "${TUNNEL_PID[$1]}"
  unset "TUNNEL_PID[$1]"
  like 'and says why' "$(tail -n 3 "$LAB/log/tunnel-$1")" "$2"
}

profile_two
tunnel_prepare two
profile_two 'wrong horse'
give vpnrun.auth <<<$'subscriber\ncorrect horse'
run_with two
ends_saying two 'refuses the user name or password' "the profile's file goes before systemd's"

sed -i '/^credentials/d' "$PROFILES/two.toml"
run_with two
within 15 "without one systemd's is used" tunnel_up two
kill -HUP "${TUNNEL_PID[two]}"
within 10 'and again after a restart' grep -q "'two' is down" "$LAB/log/tunnel-two"
within 15 'which comes up' tunnel_up two
kill -USR1 "$(client_pid two)"
within 10 'and at a reconnection' grep -q reconnecting "$LAB/log/tunnel-two"
within 15 'which comes up, too' tunnel_up two
CLIENT=$(client_pid two)
empty 'OpenVPN knows nothing of the folder' "$(tr '\0' '\n' <"/proc/$CLIENT/environ" | grep CREDENTIALS || :)"
tunnel_stop two

printf '%s\n' subscriber 'wrong horse' >"$PROFILES/two.auth"
sed -i 's/^auth-user-pass/& two.auth/' "$PROFILES/two.ovpn"
run_with two
ends_saying two 'refuses the user name or password' "the configuration's file goes before systemd's"
sed -i 's/^auth-user-pass.*/auth-user-pass/' "$PROFILES/two.ovpn"

give vpnrun.auth <<<$'subscriber\nwrong horse'
run_with two
ends_saying two 'refuses the user name or password' "systemd's wrong password"
give vpnrun.auth <<<subscriber
run_with two
ends_saying two 'vpnrun\.auth:2: the password is missing' 'half of them'
give vpnrun.auth <<<$'subscriber\ncorrect horse'
chmod 0644 $CREDENTIALS/vpnrun.auth
run_with two
ends_saying two 'vpnrun\.auth' 'credentials that others may read'
rm $CREDENTIALS/vpnrun.auth
run_with two
within 10 'none given: a person is asked' waits_for two "user name and password for 'two'"
tunnel_release two

# --- a server with tokens, and no time ---
give vpnrun.auth <<<$'subscriber\ncorrect horse'
logins_raise
login_server busy 1304 check-busy --auth-gen-token
profile_login busy 1304
rm "$PROFILES/busy.auth"
sed -i '/^credentials/d' "$PROFILES/busy.toml"
tunnel_prepare busy
run_with busy
within 20 'a server that is busy is tried again' tunnel_up busy
is 'it was (control)' "$(logins)" busy
login_server_stop busy
login_server busy 1304 check-busy --auth-gen-token
within 20 'one that began anew is gone' grep -q reconnecting "$LAB/log/tunnel-busy"
within 30 'it refuses its former token (control)' grep -q 'auth-token.*\(failed\|invalid\)\|AUTH_FAILED' "$LAB/log/server-busy"
within 30 'and the tunnel is up again by the password' tunnel_up busy
tunnel_release busy
rm $CREDENTIALS/vpnrun.auth

# --- an encrypted key ---
profile_one
openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$LAB/tls/client.key" -out "$LAB/tls/locked.key" -passout pass:sesame-4712
cp "$LAB/tls/client.crt" "$LAB/tls/locked.crt"
ovpn_one "$PROFILES/one.ovpn" locked
give vpnrun.passphrase <<<sesame-4712
tunnel_prepare one
run_with one
within 15 'an encrypted key is opened by the passphrase' tunnel_up one
kill -USR1 "$(client_pid one)"
within 10 'at a reconnection' grep -q reconnecting "$LAB/log/tunnel-one"
within 15 'again' tunnel_up one
tunnel_stop one
give vpnrun.passphrase <<<wrong
run_with one
ends_saying one 'the passphrase of the private key is wrong' 'a wrong passphrase'
rm $CREDENTIALS/vpnrun.passphrase
run_with one
within 10 'without one a person is asked' waits_for one "passphrase of the private key for 'one'"
typing by alice vpnrunctl up one <<<'Password:	sesame-4712'
is 'who answers' "$STATUS" 0
check 'and it is up' tunnel_up one
tunnel_release one

