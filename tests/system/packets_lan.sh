# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A neighbour in the host's network asks for the addresses of the tunnel and of the veth, and hands the
# host packets for them, also in the VPN server's name. Nothing is delivered inside, and the host stays
# as silent as it was without vpnrun: nobody learns from it that there is a tunnel. (A datagram forged in
# the VPN server's name to the host's own address and port of the client is the client's to refuse.)
NS=10.213.7.2
HOST_END=10.213.7.1
profile_one
profile one '[link]' 'subnet = "10.213.7.0/30"' '[ports]' 'expose = ["tcp/9091", "udp/9091"]'
NEIGHBOUR_MAC=$(on router ip -o link show r-host | sed -E 's/.*link\/ether ([0-9a-f:]+).*/\1/')
CLIENT_PORT=1
TUNNELLED=10.8.0.2

who_has() { on router attack arp r-host "$NEIGHBOUR_MAC" "$@"; }
# hand_over ADDRESS: packets for it, all in one go.
hand_over() {
  attacks "to $1" 50 on router attack lan r-host "$OWN_MAC" "$NEIGHBOUR_MAC" "$1" "$CLIENT_PORT"
}
# round_alone: a capture, without the questions that are still open from an earlier round.
round_alone() {
  ip neigh delete 192.168.77.3 dev up0 2>/dev/null || :
  capture_start
}
answers() { capture_stray "$ENDPOINT" | head -n 12; }

# deliveries_start; deliveries: what the host puts on the veth, except what the VPN server has said.
deliveries_start() {
  DELIVERED=$(mktemp --suffix=.pcap "$LAB/tmp/delivered.XXXXXX")
  background "$DELIVERED.log" tcpdump --immediate-mode -Z root -U -n -i vr-one -Q out -w "$DELIVERED"
  DELIVERED_PID=$BACKGROUND
  wait_until 5 grep -q 'listening on' "$DELIVERED.log" || lab_die 'the capture of the veth did not start'
}
deliveries_stop() {
  wait_until 3 eval '[ -n "$(tcpdump -n -r "$DELIVERED" "src host 198.51.100.10" 2>/dev/null)" ]' ||
    lab_die 'the capture of the veth misses the VPN server'
  kill "$DELIVERED_PID"
  wait "$DELIVERED_PID" || return 1
}
deliveries() {
  tcpdump -n -r "$DELIVERED" 'not (src host 198.51.100.10 and udp src port 1194) or
    (udp and udp[8:4] = 0x61747461)' 2>/dev/null | head -n 12
}

# Without vpnrun.
is 'the neighbour'"'"'s question for the host itself is answered' "$(who_has 192.168.77.2)" "192.168.77.2 $OWN_MAC"
for address in $NS $HOST_END $TUNNELLED 203.0.113.10; do
  round_alone
  is "without vpnrun: who has $address?" "$(who_has "$address")" "$address -"
  hand_over "$address"
  capture_stop
  empty "without vpnrun: the host says nothing about $address" "$(answers)"
done
round_alone
hand_over 192.168.77.2
capture_stop
is 'the host'"'"'s own address answers: the capture would see it' \
  "$(capture_has 'icmp[0] = 0 and dst host 192.168.77.1' && echo yes)" yes

scene
is 'the veth has the addresses of the test' "$UPLINK $GATEWAY" "$NS $HOST_END"
TUNNELLED=$(ip -n one -o -4 route get 203.0.113.10 | sed -E 's/.* src ([0-9.]+).*/\1/')
CLIENT_PORT=$(inside ss -Huan | awk '{ n = split($4, part, ":"); print part[n]; exit }')
like 'the port of the client is known' "$CLIENT_PORT" '^[0-9]+$'
background "$LAB/log/inside-service" inside attack listen 5300 9091
INSIDE_SERVICE=$BACKGROUND
wait_until 5 grep -q listening "$LAB/log/inside-service" || lab_die 'the service inside did not start'
by alice bash -c "echo x >/dev/udp/$NS/9091; echo x >/dev/tcp/$NS/9091"
within 3 'the exposed port is reached by the host' eval '[ "$(grep -c 9091 "$LAB/log/inside-service")" = 2 ]'
freeze

for address in $NS $TUNNELLED 203.0.113.10 $HOST_END; do
  deliveries_start
  round_alone
  is "who has $address?" "$(who_has "$address")" "$address -"
  hand_over "$address"
  deliveries_stop
  capture_stop
  empty "nothing for $address is delivered inside" "$(deliveries)"
  empty "the host says nothing about $address" "$(answers)"
done
is 'the services inside heard nobody but the host' \
  "$(sed 1d "$LAB/log/inside-service" | awk '{ print $3 }' | sort -u)" "$HOST_END"

host_filter_gone
deliveries_start
round_alone
hand_over $NS
deliveries_stop
capture_stop
like 'control, no filter of the host: packets are delivered' "$(deliveries)" "> ${NS//./\\.}\.5300: UDP"
round_alone
hand_over 203.0.113.10
capture_stop
is 'control, no filter of the host: it passes them on to others' \
  "$(capture_has 'udp and dst host 203.0.113.10 and dst port 5300' && echo yes)" yes
kill "$INSIDE_SERVICE"
scene_end
