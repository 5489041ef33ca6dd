# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Nobody at a terminal: the question goes to systemd's password agents, and is theirs only as long as nobody
# with a terminal is connected. With the real systemd-ask-password and a real agent.

command -v systemd-ask-password >/dev/null && command -v systemd-tty-ask-password-agent >/dev/null ||
  lab_die 'systemd is not installed'
AGENTS=/run/systemd/ask-password
mkdir -p $AGENTS

# put TEXT: a question with it is before the agents.
put() { grep -q "^Message=.*$1" $AGENTS/ask.* 2>/dev/null; }
nothing_put() { [ -z "$(find $AGENTS -name 'ask.*')" ]; }
# asking_process: the systemd-ask-password of a companion.
asking_process() { pgrep -x systemd-ask-pas; }
# agent: one that answers on a terminal, until the tunnel is up. Typed as standard input says.
agent() { typing systemd-tty-ask-password-agent --query; }

logins_raise
login_server dynamic 1303 check-dynamic
profile_login dynamic 1303
rm "$PROFILES/dynamic.auth"
sed -i '/^credentials/d' "$PROFILES/dynamic.toml"
tunnel_prepare dynamic
tunnel_run dynamic

within 10 'without a launcher the agents are asked' put 'User name'
like 'in whose name' "$(cat $AGENTS/ask.*)" "^Message=.*user name and password for 'dynamic'"
like 'with a name for the question' "$(cat $AGENTS/ask.*)" '^Id=vpnrun:dynamic$'
like 'which may be seen' "$(cat $AGENTS/ask.*)" '^Echo=1$'
agent <<'END'
User name .*:	subscriber
END
within 5 'then for the password' put 'Password'
unlike 'which may not' "$(cat $AGENTS/ask.*)" '^Echo=1$'
agent <<'END'
Password .*:.*	correct horse
END
like 'an agent asks' "$OUT" 'Password \(user name'
unlike 'and was not' "$OUT" 'correct horse'
within 10 'then for what the server asks' put "The server of 'dynamic' asks: Token: of today?"

# --- a person comes, and goes ---
one_time 777777
background "$LAB/log/app-person" by alice python3 -c '
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("vpnrunctl", ["vpnrunctl", "up", "dynamic"])
seen = b""
while b"asks: Token" not in seen:
    seen += os.read(terminal, 4096)
print("asked", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
os.close(terminal)
print("gone", os.waitpid(pid, 0)[1], flush=True)' "$LAB/tmp/go"
within 10 'a launcher with a terminal asks there' grep -q asked "$LAB/log/app-person"
within 5 'and the agents no more' nothing_put
empty 'no process of theirs is left' "$(asking_process || :)"
touch "$LAB/tmp/go"
within 10 'its terminal is closed' grep -q '^gone 1$' "$LAB/log/app-person"
within 10 'and the agents are asked again' put 'Token: of today?'

# --- a launcher without a terminal waits for them ---
attempt by alice setsid vpnrun --wait 2 -p dynamic true
is 'a launch without a terminal waits, and gives up in its time' "$STATUS" 125
like 'it says for what' "$ERR" "still starting after 2 s \(waits for one-time password for 'dynamic'\)"
like 'and what to do' "$ERR" '^hint: .*vpnrunctl up dynamic.*systemd-tty-ask-password-agent'
check 'the agents are asked all the while' put 'Token: of today?'
background "$LAB/log/app-menu" by alice setsid vpnrun --wait 30 -p dynamic curl -s -m 5 http://203.0.113.10/
agent <<'END'
asks: Token.*:.*	777777
END
within 15 'an answer brings the tunnel up' tunnel_up dynamic
within 10 'and starts the application that waited' grep -q '^198\.51\.100\.10$' "$LAB/log/app-menu"
is 'the server took the first' "$(logins)" 'challenged taken'

# --- a new connection, and nobody there ---
kill -USR1 "$(client_pid dynamic)"
within 10 'a reconnection asks the agents' put 'User name'
ASKING=$(asking_process)
throughout 2 'once, not again and again' eval '[ "$(asking_process)" = "$ASKING" ]'
by alice vpnrunctl down dynamic
within 5 'down takes the question back' nothing_put
empty 'and ends the program' "$(asking_process || :)"
background "$LAB/log/app-up" by alice setsid vpnrunctl up dynamic
within 10 'up asks again' put 'User name'
tunnel_stop dynamic
check 'the end of the companion takes the question back' nothing_put
empty 'and no program is left' "$(asking_process || :)"
tunnel_run dynamic
within 10 'another companion asks' put 'User name'
kill_hard "${TUNNEL_PID[dynamic]}"
within 5 'one that is killed leaves no question either' nothing_put
within 5 'and no program' eval '! asking_process'
tunnel_run dynamic
within 10 'the next one asks' put 'User name'
kill -TERM "$(asking_process)"
within 5 'a person who declines' grep -q 'gave no answer' "$LAB/log/tunnel-dynamic"
throughout 2 'is not asked the same again' nothing_put
is 'the tunnel waits on' "$(state_of dynamic)" starting
within 5 'and says so' waits_for dynamic 'user name'
tunnel_release dynamic
unlike 'no secret is in a log' "$(cat "$LAB"/log/tunnel-*)" 'correct horse|777777|CRV1'
