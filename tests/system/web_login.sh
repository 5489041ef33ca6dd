# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A server whose log-in is completed in a browser: the link is shown to whoever waits, in the status and in the log, and
# opened by nobody. Once the log-in is done, the tunnel is up. And one that asks a question of its own: what a person
# answers goes there, and into no log.
LINK='https://login.corp.example/start?id=42'

# gatekeeper: answers each client with the message in $LAB/tls/message, and lets it in once $LAB/tls/logged-in exists
# or it has answered; what it has seen goes to $LAB/log/gatekeeper.
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
            message = open("$LAB/tls/message", "rb").read().rstrip(b"\n")
            for special in (b"\\\\", b'"'):
                message = message.replace(special, b"\\\\" + special)
            connection.sendall(b'client-pending-auth %s %s "%s" 60\n' % (asked[1].encode(), asked[2].encode(), message))
        answered = re.match(r">CLIENT:CR_RESPONSE,(\d+),(\d+),(.*)", line)
        if answered:
            print("response", answered[3], flush=True)
            connection.sendall(("client-auth-nt %s %s\n" % (answered[1], answered[2])).encode())
            pending.pop(answered[1], None)
        elif "IV_SSO" in line:
            print(line, flush=True)
    if os.path.exists("$LAB/tls/logged-in"):
        for client, key in pending.items():
            connection.sendall(("client-auth-nt %s %s\n" % (client, key)).encode())
        pending = {}
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
say() { printf '%s' "$1" >"$LAB/tls/message"; }
say "WEB_AUTH::$LINK"
background "$LAB/log/gatekeeper" on vpn gatekeeper
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
rm "$LAB/tls/logged-in"

# --- links, and what a server may send in their place; each comes as OpenVPN hands it on ---
N=0
# sends WHAT MESSAGE: to a client that begins; its log is $LAB/log/web-N.
sends() {
  N=$((N + 1))
  say "$2"
  rm -f /run/vpnrun/web/state.json
  "$TUNNEL" -v run web >"$LAB/log/web-$N" 2>&1 </dev/null &
  TUNNEL_PID["web"]=$!
}
for MESSAGE in 'OPEN_URL:https://login.corp.example/open?id=7' \
  'WEB_AUTH:hidden,external:https://login.corp.example/open?id=7'; do
  sends 'a link' "$MESSAGE"
  within 20 "${MESSAGE%%https*} has a link" shows '"login_url": "https://login.corp.example/open?id=7"'
  tunnel_stop web
done
LONG=https://login.corp.example/$(printf 'a%.0s' {1..200})
sends 'a long one' "OPEN_URL:$LONG"
within 20 'a link as long as the management of a server takes one is shown whole' shows "\"login_url\": \"$LONG\""
tunnel_stop web
for MESSAGE in 'OPEN_URL:javascript:alert(1)' 'WEB_AUTH::file:///etc/passwd' 'OPEN_URL:https://a.example/x y' \
  'OPEN_URL:https://a.example/"x' "OPEN_URL:https://a.example/'\$(id)\`id\`\\x" 'OPEN_URL:https://good.example@evil.example/' \
  $'OPEN_URL:https://a.example/\x80\xff' 'OPEN_URL:'; do
  sends 'no link' "$MESSAGE"
  within 20 "$(printf '%q' "${MESSAGE:0:50}"): it is told that the server waits" shows 'the server waits for a'
  unlike 'without a link' "$(cat /run/vpnrun/web/state.json)" 'login_url": "[^"]'
  check 'in a state that can be read' python3 -c 'import json; json.load(open("/run/vpnrun/web/state.json"))'
  is 'and nothing in the log that a terminal obeys' "$(grep -c '[[:cntrl:]]' "$LAB/log/web-$N")" 0
  tunnel_stop web
done

# --- a text to answer ---
sends 'a question' 'CR_TEXT:R,E:Which colour has "the" door?'
within 20 'a text of the server is a question' waits_for web "answer for 'web'"
typing by alice vpnrunctl up web <<'END'
door\?:	light blue
END
is 'somebody answers' "$STATUS" 0
is 'the tunnel is up' "$(state_of web)" up
like 'the server got the answer' "$(cat "$LAB/log/gatekeeper")" "response $(printf 'light blue' | base64)"
like 'the log is a verbose one (control)' "$(cat "$LAB/log/web-$N")" 'openvpn: .*VERIFY OK'
unlike 'and no log has it' "$(cat "$LAB/log/web-$N")" "light blue|$(printf 'light blue' | base64)"
tunnel_release web
