# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Whoever has CAP_NET_RAW inside (alice, with nothing else) puts any frame on the veth, past every rule
# inside, and reads what comes in there. He reaches the host's filter, which lets through whole datagrams
# from the veth's address to the VPN server's exact port and nothing else; so he can tell the VPN server
# something, in the host's name, and nobody else. Raw IP sockets do pass the rules inside: with them he
# cannot do even that.
profile_one
profile one '[ports]' 'expose = ["tcp/9091", "udp/9091"]'
scene
try_frames() { attacks "$1" 400 inside_raw attack frames uplink "$UPLINK" "$GATEWAY" "$PEER_MAC"; }
try_raw() { attacks "$1" 150 inside_raw attack rawip uplink "$UPLINK" "$GATEWAY"; }

is 'he has CAP_NET_RAW and nothing else' \
  "$(inside_raw awk '/^CapEff/ { print $2 }' /proc/self/status)" 0000000000002000

round_start
try_frames 'frames'
kernel_took raw-peer/udp/203.0.113.10:5300 dgram-peer/udp/203.0.113.10:5300 raw-peer/tcp/198.51.100.10:443 \
  raw-peer/router-advertisement raw-peer/fragment-tiny/0 raw-peer/vlan-8100.0/web raw-peer/dhcp
round_clean 'frames'

round_start
try_raw 'raw IP'
# Fragments are held back until they can be judged.
empty 'raw IP: nothing is taken for the veth' "$(grep -E '^raw-ip6?-bound/.* sent$' <<<"$OUT" | grep -v /fragment-)"
round_clean 'raw IP'

freeze
inside nft delete table inet vpnrun
way_over_uplink
round_start
try_raw 'raw IP, no filter inside'
kernel_took raw-ip-bound/udp/203.0.113.10:5300 raw-ip-bound/ipip/203.0.113.10
round_clean 'raw IP, no filter inside'

# What is allowed.
round_start
attacks 'the exact port' 4 inside_raw attack endpoint uplink "$UPLINK" "$PEER_MAC"
round_clean 'the exact port'
is 'a datagram to the exact port leaves, from the host'"'"'s address' \
  "$(capture_has "$ENDPOINT and udp src port 41000" && echo yes)" yes

host_filter_gone
round_start
try_frames 'control, no filter of the host'
round_seen 'control, no filter of the host' 'udp and dst host 203.0.113.10 and dst port 5300' \
  'dst host 198.51.100.10 and udp dst port 1195' 'dst host 198.51.100.10 and tcp dst port 443' \
  'udp and dst host 192.168.77.1' 'arp and arp[24:4] = 0xc0a84d03' 'ip proto 4' 'ip proto 41' 'ip proto 47' \
  'ip proto 50' 'ip proto 136' 'icmp[0] = 3 and dst host 203.0.113.10' \
  'ip[6:2] & 0x3fff != 0 and dst host 203.0.113.10'
is 'control, no filter of the host: the host is reached' "$(($(watch_count) > REACHED))" 1
like 'control, no filter of the host: and its service' "$(service_news)" '^udp 5300 '
scene_end
