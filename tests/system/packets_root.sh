# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Root inside rewrites routes, addresses, filters and devices of the namespace at will. From that
# namespace he still reaches nothing but the VPN server's exact port, from the veth's own address: the
# host's table is not in his reach there. (Real root may of course leave the namespace; what this says is
# that no mistake of root's inside, a script's or a service's, opens it.)
profile_one
profile one '[ports]' 'expose = ["tcp/9091", "udp/9091"]'
scene
freeze

# Each line must work, or the test would not try what it says.
meddle() {
  check "root inside: $*" inside "$@"
}
meddle nft flush ruleset
meddle sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.uplink.rp_filter=0
meddle sysctl -qw net.ipv6.conf.uplink.disable_ipv6=0
meddle sysctl -qw net.ipv6.conf.all.forwarding=1
meddle ip link set uplink arp on
meddle ip address add 192.168.77.99/24 dev uplink
meddle ip address add 198.18.7.2/24 dev uplink
meddle ip -6 address add 2001:db8:77::99/64 dev uplink nodad
meddle ip route replace default via "$GATEWAY" dev uplink
meddle ip -6 route replace default dev uplink
meddle ip route add 198.51.100.0/24 via "$GATEWAY" dev uplink
meddle ip rule add fwmark 7 lookup 77
meddle ip route add default via "$GATEWAY" dev uplink table 77
meddle ip link add link uplink name mac0 type macvlan mode bridge
meddle ip address add 198.18.8.2/24 dev mac0
meddle ip link set mac0 up
# Not every kernel has these; their packets are among the frames anyway.
if inside ip link add link uplink name vlan7 type vlan id 7 2>/dev/null; then
  meddle ip address add 198.18.9.2/24 dev vlan7
  meddle ip link set vlan7 up
fi
if inside ip link add ipip7 type ipip local "$UPLINK" remote 203.0.113.10 2>/dev/null; then
  meddle ip address add 198.18.10.2/24 dev ipip7
  meddle ip link set ipip7 up
fi
meddle ip link add va type veth peer name vb
meddle ip link set va up
meddle ip link set vb up
meddle ip neigh replace 192.168.77.1 lladdr "$PEER_MAC" dev uplink
meddle ip neigh replace 192.168.77.3 lladdr "$PEER_MAC" dev uplink

# The networks of the veth, macvlan, VLAN and tunnel.
own_networks() {
  inside bash -c 'for n in 7 8 9 10; do echo attack >/dev/udp/198.18.$n.1/5300; done'
}
# all_of WHAT: everything that root can send.
all_of() {
  attacks "$1, sockets" 250 inside attack sockets uplink "$UPLINK" "$GATEWAY" 7
  kernel_took udp-device/203.0.113.10:5300 udp-mark/203.0.113.10:5300 tcp-mark-device/198.51.100.10:443 \
    udp6-device/2001:db8:cb::10 ping-device/203.0.113.10
  attacks "$1, from an address of the LAN" 180 inside attack sockets uplink 192.168.77.99 "$GATEWAY"
  attacks "$1, raw IP" 300 inside attack rawip uplink "$UPLINK" "$GATEWAY"
  attacks "$1, frames" 400 inside attack frames uplink "$UPLINK" "$GATEWAY" "$PEER_MAC"
  attacks "$1, frames of a macvlan" 400 inside attack frames mac0 "$UPLINK" "$GATEWAY" "$PEER_MAC"
  check "$1: to networks of root's own" own_networks
  attempt inside curl -s -m 1 http://203.0.113.10/
}

round_start
all_of 'root'
is 'root: no answer from outside' "$OUT" ''
round_clean 'root'

meddle ip link set uplink down
meddle ip link set uplink address 02:00:00:00:00:77
meddle ip link set uplink up
meddle ip route replace default via "$GATEWAY" dev uplink
meddle ip -6 route replace default dev uplink
meddle ip neigh replace "$GATEWAY" lladdr "$PEER_MAC" dev uplink
round_start
attacks 'another hardware address, sockets' 250 inside attack sockets uplink "$UPLINK" "$GATEWAY" 7
attacks 'another hardware address, frames' 400 inside attack frames uplink "$UPLINK" "$GATEWAY" "$PEER_MAC"
round_clean 'another hardware address'

round_start
attacks 'the exact port' 4 inside attack endpoint uplink "$UPLINK" "$PEER_MAC"
round_clean 'the exact port'
is 'a datagram to the exact port leaves, from the host'"'"'s address' \
  "$(capture_has "$ENDPOINT and udp src port 41000" && echo yes)" yes

# The host's end speaks no IPv6, which hides what its filter does.
sysctl -qw net.ipv6.conf.vr-one.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
round_start
attacks 'with IPv6 on the host'"'"'s end, frames' 400 inside attack frames uplink "$UPLINK" "$GATEWAY" "$PEER_MAC"
round_clean 'with IPv6 on the host'"'"'s end'

host_filter_gone
ip neigh replace "$UPLINK" lladdr 02:00:00:00:00:77 dev vr-one nud permanent  # for its answers
round_start
all_of 'control, no filter of the host'
round_seen 'control, no filter of the host' 'udp and dst host 203.0.113.10 and dst port 5300' \
  'tcp and dst host 203.0.113.10 and dst port 80' 'dst host 198.51.100.10 and udp dst port 1195' \
  'dst host 198.51.100.10 and tcp dst port 443' 'arp and arp[24:4] = 0xc0a84d03' 'ip proto 47' \
  'ip6 dst host 2001:db8:cb::10 and udp dst port 5300' 'ip6 dst host 2001:db8:cb::10 and icmp6'
is 'control, no filter of the host: the host is reached' "$(($(watch_count) > REACHED))" 1
like 'control, no filter of the host: and its service over UDP' "$(service_news)" '^udp 5300 '
like 'control, no filter of the host: and TCP' "$(service_news)" '^tcp 5300 '
scene_end
