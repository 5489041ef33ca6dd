# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A server that takes each connection and closes it at once. OpenVPN, held by its management, is back for
# the next try within milliseconds: the pauses are the companion's to make.
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
tunnel_release one
