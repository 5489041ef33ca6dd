# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An ordinary user under vpnrun can bind sockets to the veth, choose its address and index, and send
# UDP, TCP and pings; he has no raw or packet sockets. What he sends over the veth is dropped inside,
# the VPN server's exact port included, because that belongs to the user of the VPN client alone. The
# host drops it once more: either table holds without the other, and both hold without the routes.
profile_one
scene
# From "sent" alone nobody knows whether it went into the tunnel; so the addresses of the veth count.
try() { attacks "$1" 170 by alice vpnrun attack sockets uplink "$UPLINK" "$GATEWAY"; }
refused_inside() {
  like "$1: to the veth is refused" "$OUT" '^udp-device/203\.0\.113\.10:5300 refused EPERM$'
  like "$1: even to the VPN server's port" "$OUT" '^udp-device/198\.51\.100\.10:1194 refused EPERM$'
  like "$1: by index as well" "$OUT" '^udp-pktinfo-device/203\.0\.113\.10:5300 refused EPERM$'
  like "$1: ping too" "$OUT" '^ping-device/203\.0\.113\.10 refused EPERM$'
}

round_start
try 'as it is'
refused_inside 'as it is'
attempt by alice vpnrun attack frames uplink "$UPLINK" "$GATEWAY" "$PEER_MAC"
is 'packet sockets are not for him' "$OUT" $'packet-socket/raw refused EPERM\npacket-socket/dgram refused EPERM'
attempt by alice vpnrun attack rawip uplink "$UPLINK" "$GATEWAY"
unlike 'nor are raw ones' "$OUT" sent
round_clean 'as it is'

freeze
way_over_uplink
round_start
try 'with a route over the veth'
refused_inside 'with a route over the veth'
round_clean 'with a route over the veth'

host_filter_gone
round_start
try 'with the filter inside only'
refused_inside 'with the filter inside only'
round_clean 'with the filter inside only'
host_filter_back

inside nft delete table inet vpnrun
round_start
try 'with the filter of the host only'
kernel_took udp-device/203.0.113.10:5300 ping-device/203.0.113.10 udp-source/192.168.77.2:5300
# The VPN server's exact port is what the host lets through; who sends to it is known only inside.
round_clean 'with the filter of the host only'

host_filter_gone
round_start
try 'control, no filter'
round_seen 'control, no filter' 'udp and dst host 203.0.113.10 and dst port 5300' \
  'dst host 198.51.100.10 and udp dst port 1195' 'dst host 198.51.100.10 and tcp dst port 443' \
  'dst host 198.51.100.10 and tcp dst port 1194' 'udp and dst host 192.168.77.1 and dst port 5300' \
  'icmp[0] = 8 and dst host 203.0.113.10' 'arp and arp[24:4] = 0xc0a84d03'
is 'control, no filter: the host is reached' "$(($(watch_count) > REACHED))" 1
like 'control, no filter: its service over UDP' "$(service_news)" "^udp 5300 ${UPLINK//./\\.}$"
like 'control, no filter: and TCP' "$(service_news)" "^tcp 5300 ${UPLINK//./\\.}$"
scene_end
