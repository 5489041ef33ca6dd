# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab itself, with OpenVPN alone: the servers answer, the capture sees what leaves, and the plain
# recipe leaks. A lab in which nothing can leak would prove nothing about vpnrun.

WEB4=http://203.0.113.10/
WEB6='http://[2001:db8:cb::10]/'

is 'the bare host is seen as the router over IPv4' "$(by alice curl -s -m 3 $WEB4)" 203.0.113.1
is 'the bare host is seen as itself over IPv6' "$(by alice curl -s -m 3 "$WEB6")" 2001:db8:77::2
like 'the provider of the host resolves' "$(getent ahostsv4 who.example)" '^192\.0\.2\.77 '

FOLDER=$LAB/tmp
ovpn_one "$FOLDER/one.ovpn"
capture_start
background "$LAB/log/plain" openvpn --disable-dco --config "$FOLDER/one.ovpn"
PLAIN=$BACKGROUND
within 10 'a plain OpenVPN connects' grep -q 'Initialization Sequence Completed' "$LAB/log/plain"
is 'through it the host is seen as the server over IPv4' "$(by alice curl -s -m 3 $WEB4)" 198.51.100.10
is 'and over IPv6' "$(by alice curl -s -m 3 "$WEB6")" 2001:db8:51::10
capture_stop
empty 'while it runs nothing but the tunnel leaves' "$(capture_stray "$CAPTURE_ONE")"

capture_start
kill_hard "$PLAIN"
within 3 'killed, plain OpenVPN lets the host fall back' eval \
  '[ "$(by alice curl -s -m 3 $WEB4)" = 203.0.113.1 ]'
capture_stop
like 'and the capture sees it leak' "$(capture_stray "$CAPTURE_ONE")" '> 203\.0\.113\.10\.80'

# The one exception: the machine refuses what the server sent to a client that has gone. What a packet of
# another port makes it say looks the same but for the packet inside, and is found.
late() {
  on vpn python3 -c 'import socket, struct, sys
packet = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
packet.bind(("198.51.100.10", 0))
packet.sendto(struct.pack("!HHHH", int(sys.argv[1]), 9999, 12, 0) + b"late", ("192.168.77.2", 0))' "$1"
}
UNREACHABLE='icmp[0] = 3 and dst host 198.51.100.10 and icmp[30:2] = 9999'
capture_start
late 1194
within 5 'the machine refuses a late packet of the server' capture_has "$UNREACHABLE"
empty 'which is no leak' "$(capture_stray "$CAPTURE_ONE")"
late 1195
within 5 'it refuses others just so' eval '[ "$(capture_count "$UNREACHABLE")" = 2 ]'
capture_stop
like 'but that counts' "$(capture_stray "$CAPTURE_ONE")" 'udp port 9999 unreachable'
is 'once' "$(capture_stray "$CAPTURE_ONE" | wc -l)" 1

attempt tcpdump -n -r "$LAB/tmp/out"
like 'no test keeps a capture where AppArmor would not let tcpdump' "$STATUS $ERR" '^1 .*not called \*\.pcap'

server_silent
attempt curl -s -m 0.5 http://198.51.100.10:81/
is 'a silent server gives no answer at all' "$STATUS" 28
server_talks
attempt curl -s -m 2 http://198.51.100.10:81/
is 'a talking one refuses' "$STATUS" 7
