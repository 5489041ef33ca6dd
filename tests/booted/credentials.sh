# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Credentials that systemd keeps encrypted, and questions to its password agents, from the confined unit.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.20

status_text() { inside systemctl show --property=StatusText --value vpnrun@two.service; }
question() { cat "$MACHINE"/run/systemd/ask-password/ask.* 2>/dev/null; }
asks() { question | grep -q "^Message=.*$1"; }
# agent ANSWERS: systemd's own agent on a terminal, typed at as the file says.
agent() {
  python3 "$SOURCE/tests/probes/type_answers.py" "$1" nsenter -t "$MACHINE_PID" -a -- \
    /usr/bin/env -i TERM=vt100 PATH=/usr/bin:/bin systemd-tty-ask-password-agent --query
}

check 'the package is installed' machine_install
machine_profile two
rm "$PROFILES/two.auth"
sed -i '/^credentials/d' "$PROFILES/two.toml"

# --- encrypted, as vpnrun-service(8) says ---
printf '%s\n' subscriber 'correct horse' >"$LAB/tmp/auth"
put "$LAB/tmp/auth" /root/auth 0600
inside mkdir -p /etc/credstore.encrypted
check 'systemd-creds encrypts them' inside systemd-creds encrypt --name=vpnrun.auth /root/auth \
  /etc/credstore.encrypted/vpnrun.two.auth
rm "$MACHINE/root/auth"
unlike 'the file tells nothing' "$(cat "$MACHINE/etc/credstore.encrypted/vpnrun.two.auth")" 'subscriber|correct'
check 'the tunnel starts without a question' inside timeout 20 systemctl start vpnrun@two
is 'and is up' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
attempt as_user alice cat /run/credentials/vpnrun@two.service/vpnrun.auth
is 'alice cannot read them outside' "$STATUS-$OUT" 1-
attempt as_user alice vpnrun cat /run/credentials/vpnrun@two.service/vpnrun.auth
is 'nor inside' "$STATUS-$OUT" 1-
unlike 'no log has them' "$(journal)" 'correct horse'

# --- asked for ---
rm "$MACHINE/etc/credstore.encrypted/vpnrun.two.auth"
inside systemctl restart --no-block vpnrun@two
within 15 'without them the password agents are asked' asks 'User name'
like 'systemctl status says what is waited for' "$(status_text)" "waiting for user name and password for 'two'"
# Without a terminal a launch waits for them.
background "$LAB/log/app-waits" as_user alice vpnrun -p two curl -s -m 5 $WEB4
printf 'User name .*:\tsubscriber\n' >"$LAB/tmp/answers"
attempt agent "$LAB/tmp/answers"
within 5 'then for the password' asks 'Password'
printf 'Password .*:.*\tcorrect horse\n' >"$LAB/tmp/answers"
attempt agent "$LAB/tmp/answers"
within 15 'their answers bring the tunnel up' machine_tunnel_up two
within 10 'and start what waited' grep -qx $THROUGH "$LAB/log/app-waits"
is 'with alice behind it' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
unlike 'no log has them' "$(journal)" 'correct horse'
inside systemctl stop vpnrun@two
empty 'no question is left' "$(question || :)"

# --- asked for on the terminal of who launches ---
printf 'User name: \tsubscriber\nPassword: \tcorrect horse\n' >"$LAB/tmp/answers"
attempt python3 "$SOURCE/tests/probes/type_answers.py" "$LAB/tmp/answers" nsenter -t "$MACHINE_PID" -a -- \
  /usr/bin/env -i TERM=vt100 PATH=/usr/bin:/bin systemd-run --quiet --pty --wait --collect \
  -p User=alice -p PAMName=login vpnrun -p two curl -s -m 5 $WEB4
like 'a launch asks on its terminal, and starts behind the tunnel' "$OUT" "$THROUGH"
unlike 'the password is not to be seen there' "$OUT" 'correct horse'
empty 'no agent was asked meanwhile' "$(question || :)"
unlike 'no log has it' "$(journal)" 'correct horse'
