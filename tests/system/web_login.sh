# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A server whose log-in is completed in a browser: the link is shown to whoever waits, in the status and in the log, and
# opened by nobody. Once the log-in is done, the tunnel is up. And one that asks a question of its own: what a person
# answers goes there, and into no log.
LINK='https://login.corp.example/start?id=42'

# gatekeeper MESSAGE: answers each client with it, and lets it in once $LAB/tls/logged-in exists; what it has seen goes
# to $LAB/log/gatekeeper.
cat >"$LAB/bin/gatekeeper" <<END
#!/usr/bin/env python3
import os, re, select, socket, sys, time
connection = None
while connection is None:  # the server listens for one at a time, and again when that has gone
    try:
        connection = socket.create_connection(("127.0.0.1", 7565))
    except ConnectionRefusedError:
        time.sleep(0.1)
print("guards", flush=True)
pending, text = {}, b""
while True:
    if select.select([connection], [], [], 0.1)[0]:
        got = connection.recv(65536)
        if not got:
            break
        text += got
    while b"\n" in text:
        line, text = text.split(b"\n", 1)
        line = line.decode(errors="replace").strip()
        asked = re.match(r">CLIENT:(?:CONNECT|REAUTH),(\d+),(\d+)", line)
        if asked:
            pending[asked[1]] = asked[2]
            connection.sendall(('client-pending-auth %s %s "%s" 60\n' % (asked[1], asked[2], sys.argv[1])).encode())
        elif "IV_SSO" in line or ">CLIENT:CR_RESPONSE" in line:
            print(line, flush=True)
    if os.path.exists("$LAB/tls/logged-in"):
        for client, key in pending.items():
            connection.sendall(("client-auth-nt %s %s\n" % (client, key)).encode())
        pending = {}
    if os.path.exists("$LAB/tls/relieved"):
        break
END
chmod 0755 "$LAB/bin/gatekeeper"
vpn_server server-web tun-web server --proto udp6 --port 1365 --server 10.7.65.0 255.255.255.0 \
  --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.8.0.1' \
  --management 127.0.0.1 7565 --management-client-auth --auth-user-pass-optional
wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-web" || lab_die 'the server failed'
ovpn_one "$PROFILES/web.ovpn" client '198.51.100.10 1365'
profile web
shows() { grep -qF -- "$1" /run/vpnrun/web/state.json; }

tunnel_prepare web
background "$LAB/log/gatekeeper" on vpn gatekeeper "WEB_AUTH::$LINK"
GATEKEEPER=$BACKGROUND
wait_until 15 grep -q guards "$LAB/log/gatekeeper" || lab_die 'the gatekeeper found no server'
tunnel_run web
within 15 'the status has the link' shows "\"login_url\": \"$LINK\""
like 'the server was told that links are shown' "$(cat "$LAB/log/gatekeeper")" 'IV_SSO=webauth,openurl,crtext'
like 'vpnrunctl status shows it' "$(by alice vpnrunctl status web)" 'login\.corp\.example/start\?id=42'
like 'the log has it' "$(cat "$LAB/log/tunnel-web")" 'browser: https://login\.corp\.example/start\?id=42'
attempt by alice vpnrun --wait 2 -p web true
is 'a launch that does not wait for the log-in fails' "$STATUS" 125
like 'and shows the link' "$ERR" "log in with a browser: https://login\.corp\.example/start\?id=42"
by alice vpnrunctl up web >"$LAB/tmp/up.out" 2>&1 </dev/null &
UP=$!
within 10 'whoever has vpnrunctl up open sees it' grep -qF "$LINK" "$LAB/tmp/up.out"
check 'and waits' kill -0 "$UP"
: >"$LAB/tls/logged-in"
attempt wait "$UP"
is 'until the log-in is done' "$STATUS" 0
is 'the tunnel is up' "$(state_of web)" up
unlike 'and the link is gone' "$(cat /run/vpnrun/web/state.json)" 'login_url'
tunnel_stop web

# --- a question, and a companion that logs all that it may ---
TYPED=4711-once-and-never-to-be-seen
: >"$LAB/tls/relieved"
wait_until 5 gone "$GATEKEEPER" || lab_die 'the gatekeeper stays'
rm "$LAB/tls/logged-in" "$LAB/tls/relieved"
background "$LAB/log/gatekeeper-asks" on vpn gatekeeper 'CR_TEXT:R,E:Your code?'
wait_until 15 grep -q guards "$LAB/log/gatekeeper-asks" || lab_die 'the second gatekeeper found no server'
"$TUNNEL" -v run web >>"$LAB/log/tunnel-web" 2>&1 </dev/null &
NAME=web
TUNNEL_PID[$NAME]=$!
within 20 'the question is asked' waits_for web answer
answered() { grep -q "CR_RESPONSE,.*$(printf %s $TYPED | base64)" "$LAB/log/gatekeeper-asks"; }
{ wait_until 30 answered && : >"$LAB/tls/logged-in"; } &
typing by alice vpnrunctl up --wait 60 web <<<"The server asks: Your code\\?: 	$TYPED"
is 'the answer lets it up' "$STATUS $(state_of web)" '0 up'
check 'it went to the server (control)' answered
like 'the log is a verbose one (control)' "$(cat "$LAB/log/tunnel-web")" 'openvpn: .*VERIFY OK'
unlike 'and has nothing of it' "$(cat "$LAB/log/tunnel-web")" "$TYPED|$(printf %s $TYPED | base64)"
tunnel_release web
