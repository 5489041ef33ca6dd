# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who has a route over the veth: sockets of the client's user. What comes out of the veth is captured at its
# other end, before any filter of the host. There is nothing in it but the client's packets to its endpoint:
# whoever sends, to whatever port of the server, with whatever socket, and whoever is left to answer.
LINK_CAPTURE=
link_capture_start() {
  LINK_CAPTURE=$(mktemp --suffix=.pcap "$LAB/tmp/link.XXXXXX")
  background "$LINK_CAPTURE.log" tcpdump --immediate-mode -Z root -U -n -i vr-one -Q in -w "$LINK_CAPTURE"
  LINK_PID=$BACKGROUND
  wait_until 5 grep -q 'listening on' "$LINK_CAPTURE.log" || lab_die 'the capture of the link did not start'
  BEGUN=$(link_count "$TUNNELLED")
}
link_count() { tcpdump -n -r "$LINK_CAPTURE" "$1" 2>/dev/null | wc -l; }
# The client's pings to its server come every second: what was sent before them is in the capture.
link_settles() {
  local before
  before=$(link_count "$TUNNELLED")
  wait_until 10 eval '[ "$(link_count "$TUNNELLED")" -gt '"$((before + 1))"' ]'
}
# link_clean WHAT: ends the capture.
link_clean() {
  check "$1: the capture sees the client" link_settles
  kill "$LINK_PID"
  wait "$LINK_PID" || :
  empty "$1: nothing but the client's packets to its endpoint is on the link" \
    "$(tcpdump -n -r "$LINK_CAPTURE" "not ($TUNNELLED)" 2>/dev/null | head -n 12)"
}

profile_one
scene
TUNNELLED="src host $UPLINK and dst host 198.51.100.10 and udp dst port 1194"
CLIENT=$(client_id one)
as_client() { inside setpriv --reuid="$CLIENT" --regid="$CLIENT" --clear-groups "$@"; }

round_start
link_capture_start
attacks 'a user' 170 by alice vpnrun attack sockets uplink "$UPLINK" "$GATEWAY"
attacks 'root inside' 170 inside attack sockets uplink "$UPLINK" "$GATEWAY" 7
attacks 'root inside, with raw IP' 300 inside attack rawip uplink "$UPLINK" "$GATEWAY"
attacks 'root'"'"'s sockets, given to the client' 30 inside attack given uplink "$UPLINK" "$CLIENT"
like 'given to the client, they have its route' "$OUT" '^udp-plain/198\.51\.100\.10:1194 refused EPERM$'
like 'given to the client, and no other' "$OUT" '^udp-plain/203\.0\.113\.10:5300 refused E(HOST|NET)UNREACH$'
for PORT in 22 80 443 1194; do
  attempt timeout 2 by alice vpnrun bash -c "echo x >/dev/tcp/198.51.100.10/$PORT"
  attempt by alice vpnrun bash -c "echo x >/dev/udp/198.51.100.10/$PORT"
done
link_clean 'users and root'
round_clean 'users and root'

# Who has the client's user is on its way: to the exact port, and not one further.
round_start
link_capture_start
as_client bash -c 'for port in 22 53 80 443 1193 1195; do echo x >/dev/udp/198.51.100.10/$port; done' 2>/dev/null || :
attempt timeout 2 inside setpriv --reuid="$CLIENT" --regid="$CLIENT" --clear-groups bash -c 'echo x >/dev/tcp/198.51.100.10/1194'
for target in 203.0.113.10 192.168.77.1 192.168.77.2 10.8.0.1; do
  attempt as_client bash -c "echo x >/dev/udp/$target/5300"
  is "the client's user, to $target" "$STATUS" 1
done
link_clean 'the client'"'"'s user'
round_clean 'the client'"'"'s user'

# Nobody is left to answer: the client is gone, and its server goes on sending. What the kernel says to that
# has no owner, and no way over the link.
freeze
round_start
link_capture_start
LAST=$(client_pid one)
kill -9 "$LAST"
wait_until 5 gone "$LAST"
sent_after() { tcpdump -n -r "$LINK_CAPTURE" icmp or tcp 2>/dev/null; }
throughout 5 'with the client gone nothing is answered over the link' eval '[ -z "$(sent_after)" ]'
kill "$LINK_PID"
wait "$LINK_PID" || :
empty 'with the client gone: nothing else either' "$(tcpdump -n -r "$LINK_CAPTURE" "not ($TUNNELLED)" 2>/dev/null | head -n 12)"
capture_stop

# control: the same capture sees all of that when the rule is everybody's and the filter is away
ip -n one rule add lookup 30322 prio 900
inside nft delete table inet vpnrun
ip -n one route add default via "$GATEWAY" dev uplink metric 900
round_start
link_capture_start
attempt inside attack given uplink "$UPLINK" "$CLIENT"
attempt inside by alice bash -c 'echo x >/dev/udp/198.51.100.10/1195'
wait_until 5 eval '[ "$(link_count "udp dst port 1195")" -gt 0 ]' || :
kill "$LINK_PID"
wait "$LINK_PID" || :
is 'control: without rule and filter the capture sees a user'"'"'s packet' \
  "$([ "$(link_count 'dst host 198.51.100.10 and udp dst port 1195')" -gt 0 ] && echo yes)" yes
is 'control: and TCP' "$([ "$(link_count 'dst host 198.51.100.10 and tcp')" -gt 0 ] && echo yes)" yes
capture_stop
scene_end
