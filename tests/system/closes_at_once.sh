# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A server that takes each connection and closes it at once. OpenVPN, held by its management, is back for
# the next try within milliseconds: the pauses are the companion's to make. So is one that refuses connections.
announced() { grep -c 'next attempt in' "$LAB/log/tunnel-one" || return 0; }
accepted() { grep -c accepted "$LAB/log/closing" || return 0; }

background "$LAB/log/closing" on vpn python3 -u -c '
import socket
listener = socket.create_server(("198.51.100.10", 1443), backlog=128)
print("listens")
while True:
    listener.accept()[0].close()
    print("accepted")'
wait_until 5 grep -q listens "$LAB/log/closing" || lab_die 'the server does not listen'
ovpn_one "$PROFILES/one.ovpn" client '198.51.100.10 1443'
sed -i 's/^proto udp$/proto tcp/' "$PROFILES/one.ovpn"
profile one
tunnel_prepare one
tunnel_run one
within 30 'the companion has tried a few times' eval '[ "$(announced)" -ge 5 ]'
BEFORE=$(accepted)
like 'control: the server was there' "$BEFORE" '^[1-9]'
is 'once in each attempt' "$((BEFORE <= $(announced) + 1))" 1
is 'with pauses that double' \
  "$(grep -o 'next attempt in [0-9.]*' "$LAB/log/tunnel-one" | head -n 5 | cut -d ' ' -f 4 | tr '\n' ' ')" \
  '0.2 0.4 0.8 1.6 3.2 '
like 'the state says why' "$(by alice vpnrunctl status one --json)" '"error": *"[^"]*198\.51\.100\.10'

# --- with a second server in the list, that one is tried in the same attempt ---
tunnel_stop one
sed -i '/^remote /a remote 198.51.100.10 1444' "$PROFILES/one.ovpn"
vpn_server server-second tun-second server --proto tcp-server --port 1444 --server 10.6.0.0 255.255.255.0 \
  --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.6.0.1'
wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-second" || lab_die 'the server did not start'
ANNOUNCED=$(announced)
tunnel_run one
within 15 'a second server that works is found' tunnel_up one
is 'without another attempt' "$(announced)" "$ANNOUNCED"
tunnel_stop one

# --- one that refuses: the same, counted at the server; the control is OpenVPN under a management without pauses ---
on vpn nft 'add table inet knocks; add chain inet knocks in { type filter hook input priority -10; }'
on vpn nft 'add rule inet knocks in tcp dport 1446 tcp flags & (syn | ack) == syn counter'
knocks() { on vpn nft list chain inet knocks in | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'; }
ovpn_one "$PROFILES/one.ovpn" client '198.51.100.10 1446'
sed -i 's/^proto udp$/proto tcp/' "$PROFILES/one.ovpn"
: >"$LAB/log/tunnel-one"
tunnel_run one
within 30 'the companion has tried a few times' eval '[ "$(announced)" -ge 5 ]'
tunnel_stop one
KNOCKS=$(knocks)
like 'each time it knocks' "$KNOCKS" '^[1-9]'
is 'once in each attempt' "$((KNOCKS <= $(announced) + 1))" 1
like 'and it is told' "$(cat "$LAB/log/tunnel-one")" "'one': the server refuses the connection; next attempt in 0\.2"
cat >"$LAB/bin/hasty" <<'END'
#!/usr/bin/env python3
# hasty SOCKET COUNT: the management of an OpenVPN that connects here; releases its hold at once, so often, and says
# the numbers that it was asked to wait.
import re, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
print("listens", flush=True)
stream = listener.accept()[0].makefile("rw")
released = 0
for line in stream:
    asked = re.match(r">HOLD:.*:(\d+)", line)
    if asked:
        released += 1
        print("asked to wait", asked[1], flush=True)
        stream.write("hold release\n" if released <= int(sys.argv[2]) else "signal SIGTERM\n")
        stream.flush()
END
chmod 0755 "$LAB/bin/hasty"
background "$LAB/log/hasty" hasty "$LAB/tmp/hasty" 60
wait_until 5 grep -q listens "$LAB/log/hasty" || lab_die 'the hasty management does not listen'
attempt timeout 30 openvpn --client --dev tun --proto tcp-client --remote 198.51.100.10 1446 --nobind \
  --ca "$LAB/tls/ca.crt" --cert "$LAB/tls/client.crt" --key "$LAB/tls/client.key" --remote-cert-tls server \
  --management "$LAB/tmp/hasty" unix --management-client --management-hold \
  --auth-retry nointeract --connect-retry 1 10
is 'control: nothing else keeps OpenVPN from sixty knocks in a moment' "$(($(knocks) - KNOCKS))" 60
is 'and under the options that it gets here it asks for the same pause every time' \
  "$(sed -n 's/^asked to wait //p' "$LAB/log/hasty" | tail -n +2 | sort -u)" 10
tunnel_release one
