# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# One-time passwords: a static challenge of the configuration and a dynamic one of the server, asked on a
# terminal, each time; with a token that stands in for them, and without.

logins_raise

# --- static, the server gives a token ---
login_server static 1301 check-static --auth-gen-token
profile_login static 1301 'static-challenge "Your PIN" 0'
tunnel_prepare static
tunnel_run static
within 10 'a static challenge: the state says what is waited for' waits_for static "one-time password for 'static'"
attempt by alice timeout 10 setsid vpnrun -p static true
is 'without a terminal and without agents a launch fails' "$STATUS" 125
complains 'it' 'there is no terminal'
one_time 111111
typing by alice vpnrun -p static curl -s -m 5 http://203.0.113.10/ <<END
The server asks: Your PIN:	000000
The server asks: Your PIN:	111111
END
is 'a wrong one and then a right one start the application' "$STATUS" 0
like 'through the tunnel' "$OUT" '^198\.51\.100\.10'
like 'the second question says why it comes' "$OUT" 'the last one was refused'
unlike 'neither was to be seen' "$OUT" '000000|111111'
unlike 'user name and password came from the file' "$OUT" 'User name|Password'
is 'the server has seen one wrong and one right' "$(logins)" 'refused SCRV1 taken'

CLIENT=$(client_pid static)
kill -USR1 "$CLIENT"
within 10 'a reconnection' grep -q reconnecting "$LAB/log/tunnel-static"
within 15 'comes up again' tunnel_up static
is 'by the same client, with its token' "$(client_pid static)" "$CLIENT"
like 'which the server takes' "$(cat "$LAB/log/server-static")" "auth-token authentication succeeded"
is 'without asking' "$(grep -c 'waits for' "$LAB/log/tunnel-static") $(logins)" '2 refused SCRV1 taken'

login_server_stop static
login_server static 1301 check-static --auth-gen-token
within 30 'a server that was restarted does not know the token: it is asked again' waits_for static 'one-time password'
one_time 222222
typing by alice vpnrunctl up static <<<'The server asks: Your PIN:	222222'
is 'and the answer brings the tunnel up' "$STATUS" 0
is 'the password of the day was not sent twice' "$(logins)" 'refused SCRV1 taken taken'
tunnel_release static

# --- static, without a token: each connection needs one ---
login_server plain 1302 check-static
profile_login plain 1302 'static-challenge "Your PIN" 1'
sed -i '/^credentials/d' "$PROFILES/plain.toml"
# log_in PIN: alice brings it up and types all three; the server takes this PIN.
log_in() {
  one_time "$1"
  typing by alice vpnrunctl up plain <<END
User name:	subscriber
Password:	correct horse
The server asks: Your PIN:	$1
END
}
tunnel_prepare plain
tunnel_run plain
within 5 'the companion of the next listens' test -S /run/vpnrun/plain/control
: >"$LAB/log/logins"
log_in 333333
is 'without a file all three are asked for' "$STATUS" 0
like 'a PIN may be seen if the configuration says so' "$OUT" 'Your PIN: 333333'
unlike 'a password may not' "$OUT" 'correct horse'
within 5 'it is up' tunnel_up plain
kill -USR1 "$(client_pid plain)"
within 10 'at a reconnection it is asked for again' waits_for plain 'user name, password and one-time password'
is 'and the state says that it is not up' "$(state_of plain)" reconnecting
CLIENT=$(client_pid plain)
throughout 3 'while nobody answers, nothing is tried' eval '[ "$(client_pid plain) $(logins)" = "$CLIENT taken" ]'
empty 'there is no way out' "$(ip -n plain route show default)"
attempt by alice setsid timeout 5 vpnrun --no-start -p plain curl -s -m 2 http://203.0.113.10/
is 'no launch' "$STATUS" 125
log_in 444444
is 'and an answer in the morning brings it up' "$STATUS" 0
is 'each was used once' "$(logins)" 'taken taken'

kill -USR1 "$(client_pid plain)"
within 10 'it is asked for again' waits_for plain 'user name'
for number in 1 2 3 4 5; do
  printf '%s\n' 'User name:	subscriber' 'Password:	correct horse' "asks: Your PIN:	$number"
done >"$LAB/tmp/five"
typing by alice vpnrunctl up plain <"$LAB/tmp/five"
unlike 'five wrong ones in a row are the end' "$STATUS" '^0$'
like 'with the reason' "$OUT" 'refused 5 one-time passwords'
is 'the tunnel has failed' "$(state_of plain)" failed
check 'the companion waits for an order' kill -0 "${TUNNEL_PID[plain]}"
log_in 555555
is 'which is obeyed' "$STATUS" 0
tunnel_release plain

# --- dynamic: the server asks after the password ---
login_server dynamic 1303 check-dynamic
profile_login dynamic 1303
: >"$LAB/log/logins"
tunnel_prepare dynamic
tunnel_run dynamic
within 5 'the companion of the next listens' test -S /run/vpnrun/dynamic/control
one_time 666666
typing by alice vpnrun -p dynamic curl -s -m 5 http://203.0.113.10/ <<END
The server asks: Token: of today\?:	1
The server asks: Token: of today\?:	666666
END
is 'a dynamic challenge: a wrong one and then a right one start the application' "$STATUS" 0
like 'through its tunnel' "$OUT" '^198\.51\.100\.10'
like 'it may be seen if the server says so' "$OUT" 'today\?: 666666'
is 'after a wrong one the server is asked for a new challenge' "$(logins)" 'challenged refused CRV1 challenged taken'
unlike 'no log has what belongs to the answer' "$(cat "$LAB/log/tunnel-dynamic")" 'CRV1'
kill -USR1 "$(client_pid dynamic)"
within 10 'a reconnection is asked about, too' waits_for dynamic 'one-time password'
is 'down ends it' "$(by alice vpnrunctl down dynamic >/dev/null 2>&1; state_of dynamic)" down
unlike 'and nothing more is asked' "$(cat /run/vpnrun/dynamic/state.json)" 'question|waits'
tunnel_release dynamic
