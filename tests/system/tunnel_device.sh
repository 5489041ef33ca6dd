# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The tunnel device is set up by us and by nobody else: router advertisements that come out of the tunnel
# change nothing, even with every filter gone; it has no address of its own making; and another address in
# the network of the former one replaces it.
inside() { nsenter --net=/run/vpnrun/one/netns -- "$@"; }
addresses() { inside ip -o "$1" address show dev tun0 | awk '{ print $4 }' | xargs; }

profile_one
tunnel_start one
like 'control: the device has addresses' "$(addresses -4) $(addresses -6)" '^10\.8\.0\.[0-9]+/24 fd00:8::'
empty 'none of them is of its own making' "$(inside ip -o -6 address show dev tun0 scope link)"

# --- another address ---
mkdir -p "$LAB/tmp/clients"
echo 'ifconfig-push 10.8.0.77 255.255.255.0' >"$LAB/tmp/clients/DEFAULT"
chmod -R a+rX "$LAB/tmp/clients"
SERVER=$(pgrep -f -- '--port 1194 ')
kill "$SERVER"
wait_until 5 gone "$SERVER" || lab_die 'server "one" does not end'
vpn_server server-one-again tun-one server --proto udp6 --port 1194 --explicit-exit-notify 1 \
  --server 10.8.0.0 255.255.255.0 --server-ipv6 fd00:8::/64 --push 'redirect-gateway def1 ipv6' \
  --push 'dhcp-option DNS 10.8.0.1' --client-config-dir "$LAB/tmp/clients"
within 20 'the server assigns another address of the same network' eval '[ "$(addresses -4)" = 10.8.0.77/24 ]'
within 10 'and the tunnel is up' tunnel_up one
is 'with it, applications are online' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
is 'the former one is gone' "$(addresses -4)" 10.8.0.77/24

# --- router advertisements ---
# Nobody's hands but ours on the device, and no filter: what is left is the kernel.
kill -STOP "${TUNNEL_PID[one]}"
CLIENT=$(client_pid one)
kill_hard "$CLIENT"
wait_until 5 gone "$CLIENT"
inside nft delete table inet vpnrun
cat >"$LAB/tmp/advertise.py" <<'CODE'
"""Holds the tunnel device and sends a router advertisement out of it whenever a line comes in."""
import fcntl, os, socket, struct, sys
device = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
source, target = (socket.inet_pton(socket.AF_INET6, a) for a in ("fe80::1", "ff02::1"))
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
def message(checksum):
    return struct.pack("!BBHBBHII", 134, 0, checksum, 64, 0, 1800, 0, 0) + prefix
pseudo = source + target + struct.pack("!II", len(message(0)), 58) + message(0)
total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
while total >> 16:
    total = (total & 0xFFFF) + (total >> 16)
packet = struct.pack("!IHBB", 0x60000000, len(message(0)), 58, 255) + source + target + message(~total & 0xFFFF)
print("ready", flush=True)
for _ in sys.stdin:
    os.write(device, packet)
    print("sent", flush=True)
CODE
mkfifo "$LAB/tmp/advertise"
inside python3 "$LAB/tmp/advertise.py" <"$LAB/tmp/advertise" >"$LAB/log/app-advertise" 2>&1 &
ADVERTISER=$!
exec 8>"$LAB/tmp/advertise"
within 5 'somebody else holds the device' grep -q ready "$LAB/log/app-advertise"
# advertised N: the N-th advertisement is out, and what it did is done (the kernel takes it in at once).
advertised() {
  echo >&8
  wait_until 5 eval '[ "$(grep -c sent "$LAB/log/app-advertise")" = '"$1"' ]'
}
BEFORE=$(inside ip -6 route show; addresses -6)
check 'a router advertisement comes out of the tunnel' advertised 1
is 'it changes neither routes nor addresses' "$(inside ip -6 route show; addresses -6)" "$BEFORE"
inside sh -c 'echo 2 >/proc/sys/net/ipv6/conf/tun0/accept_ra'
check 'control: the same to a device that listens' advertised 2
within 5 'control: makes a route' eval "inside ip -6 route show default | grep -q 'via fe80::1'"
exec 8>&-
wait $ADVERTISER
kill_hard "${TUNNEL_PID[one]}"
unset 'TUNNEL_PID[one]'
"$TUNNEL" release one
