# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Ordinary programs run inside as outside, under the socket filter, and stay inside: a browser under X, a
# Go program with a resolver of its own, Java, Node, Python. What they look up goes to the tunnel's
# resolver, what they fetch comes with the tunnel's address, and nothing else leaves the machine.

# Every name leads to the web server, which tells who came for what.
# shellcheck disable=SC2034  # used by names.sh
NAME_DOMAIN=web.example
# shellcheck source=tests/system/names.sh
source "$SOURCE/tests/system/names.sh"
visited() { grep -q "^198\.51\.100\.10 .*\"GET /$1" "$LAB/log/web-names"; }
# behind WHAT PATH: the last program's visit.
behind() {
  check "$1: the tunnel's resolver was asked" vpn_asked "$NAME"
  check "$1: the provider was not" eval "! isp_asked $NAME"
  within "${3:-5}" "$1: the web server saw the tunnel's address" visited "$2"
}

cat >"$LAB/bin/web-names" <<'END'
import http.server
class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>seen</title>seen\n")
http.server.ThreadingHTTPServer(("203.0.113.10", 8080), Quiet).serve_forever()
END
background "$LAB/log/web-names" on web python3 -u "$LAB/bin/web-names"

profile_one
snapshot before
capture_start
tunnel_start one

fresh_name
is 'Python fetches a page' "$(by alice vpnrun python3 -c \
  "import urllib.request as u; print(u.urlopen('http://$NAME:8080/python').status)")" 200
behind Python python

fresh_name
is 'Node fetches a page' "$(by alice vpnrun node -e \
  "fetch('http://$NAME:8080/node').then(r => console.log(r.status), e => console.log(e))")" 200
behind Node node

fresh_name
# The lab's own, not that of a machine that happens to have one.
KEYTOOL=$(find "$SOURCE/build/daemons/usr/lib/jvm" -path '*/bin/keytool' -type f | head -n 1)
KEYTOOL=${KEYTOOL#"$SOURCE/build/daemons"}
attempt by alice vpnrun timeout 20 "${KEYTOOL:?}" -printcert -sslserver "$NAME:8080"
check "Java: the tunnel's resolver was asked" vpn_asked "$NAME"
check 'Java: the provider was not' eval "! isp_asked $NAME"

fresh_name
printf '%s\n' 'modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}' >"$LAB/tmp/prober.yml"
chmod 0644 "$LAB/tmp/prober.yml"
background "$LAB/log/app-go" by alice vpnrun prometheus-blackbox-exporter \
  "--config.file=$LAB/tmp/prober.yml" --web.listen-address=127.0.0.1:9115
GO=$BACKGROUND
probe() { by alice vpnrun curl -s -m 8 "http://127.0.0.1:9115/probe?module=http_2xx&target=http://$NAME:8080/go"; }
within 10 'a Go program listens' eval 'by alice vpnrun curl -s -m 1 -o /dev/null http://127.0.0.1:9115/'
like 'and fetches a page' "$(probe)" '^probe_success 1'
behind Go go
check 'what listens inside is not reached from outside' eval '! curl -s -m 1 http://127.0.0.1:9115/'
kill "$GO"

# --- a browser ---
background "$LAB/log/app-xvfb" Xvfb :7 -screen 0 800x600x24 -nolisten tcp -ac
XVFB=$BACKGROUND
within 10 'an X server runs outside' test -S /tmp/.X11-unix/X7
fresh_name
background "$LAB/log/app-firefox" by alice env DISPLAY=:7 vpnrun \
  firefox-esr --no-remote --new-instance "http://$NAME:8080/firefox"
FIREFOX=$BACKGROUND
within 60 'Firefox, in a window, fetches a page' visited firefox
behind Firefox firefox
PROCESSES=$(pgrep -u alice -f firefox)
networks() { for pid in $PROCESSES; do stat -L -c %i "/proc/$pid/ns/net" 2>/dev/null; done | sort -u; }
check 'Firefox has several processes' test "$(wc -w <<<"$PROCESSES")" -gt 3
like 'they are in the network of the profile' "$(networks)" "^$(stat -L -c %i /run/vpnrun/one/netns)$"
# Its sandbox puts some of them into empty networks of their own.
unlike "and none is in the machine's" "$(networks)" "^$(stat -L -c %i /proc/self/ns/net)$"
kill "$FIREFOX"
wait_until 10 gone "$FIREFOX" || kill_hard "$FIREFOX"
kill "$XVFB"
wait_until 5 gone "$XVFB" || :

capture_stop
empty 'nothing of all this left the machine but by the tunnel' "$(capture_stray "$CAPTURE_ONE")"
tunnel_release one
rm -rf /tmp/.X11-unix/X7
