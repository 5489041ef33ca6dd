# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=/dev/null
# packets ordinary|raw|root|owner|lan|connection|families: tests/probes/attack.py tries to get packets past
# the tunnel. What leaves is captured on the host's uplink; what reaches the host itself is counted and
# listened for. Each part (packets_*.sh) has its control: the same attacks with the guards taken away, in
# the lab, or the same program outside; then the same capture, counter and listener must see them.

GATEWAY=
UPLINK=
PEER_MAC=
ENDPOINT='(src host 192.168.77.2 and dst host 198.51.100.10 and udp dst port 1194)'
install -m 0755 "$SOURCE/tests/probes/attack.py" "$LAB/bin/attack"

# The lab's capture overlooks ARP and neighbour discovery. Here only the host's own is overlooked:
# between itself and the router, or about its own addresses.
OWN_MAC=$(cat /sys/class/net/up0/address)
OWN_LINK_LOCAL=$(ip -o -6 address show dev up0 scope link | awk '{ sub("/.*", "", $4); print $4 }')
OWN_IP6="(ip6 src host 2001:db8:77::2 or ip6 src host $OWN_LINK_LOCAL)"
CAPTURE_QUIET="(arp and arp[14:4] = 0xc0a84d02 and arp[24:4] = 0xc0a84d01)"
CAPTURE_QUIET+=" or ($OWN_IP6 and icmp6 and (ip6[40] = 135 or ip6[40] = 136))"
CAPTURE_QUIET+=" or (ip6 dst host ff02::16 and ($OWN_IP6 or ip6 src host ::))"

# Counts what comes out of a namespace and gets as far as the host's own input or forwarding.
watch_raise() {
  nft -f - <<'END'
table inet watch {
  counter reached { }
  chain input { type filter hook input priority -500; iifname "vr-*" counter name reached; }
  chain forward {
    type filter hook forward priority -500;
    ip daddr 198.51.100.10 udp dport 1194 accept
    iifname "vr-*" counter name reached
  }
}
END
}
watch_count() { nft list counter inet watch reached | awk '$1 == "packets" { print $2 }'; }

# A service of the host on all its addresses.
service_raise() {
  background "$LAB/log/host-service" attack listen 5300 5353 67
  SERVICE=$BACKGROUND
  wait_until 5 grep -q listening "$LAB/log/host-service" || lab_die 'the service of the host did not start'
  by alice bash -c 'echo x >/dev/udp/192.168.77.2/5300; echo x >/dev/tcp/192.168.77.2/5300'
  within 5 'the service of the host is reached by the host' eval \
    '[ "$(grep -c "p 5300 192.168.77.2" "$LAB/log/host-service")" = 2 ]'
  SERVICE_LINES=$(wc -l <"$LAB/log/host-service")
}
service_news() { tail -n "+$((SERVICE_LINES + 1))" "$LAB/log/host-service" | sort -u; }

# link_facts: addresses of the veth, as they are now.
link_facts() {
  UPLINK=$(ip -n one -o -4 address show dev uplink | awk '{ sub("/.*", "", $4); print $4 }')
  GATEWAY=$(ip -n one route show table all 198.51.100.10 | awk '{ print $3 }')
  PEER_MAC=$(cat /sys/class/net/vr-one/address)
}

# Through the tunnel the host can be reached from outside, as by anybody, and would answer on its uplink.
# Here the router keeps strangers away from it, so that all that it sends is the namespace's doing.
strangers_away() {
  on router nft add rule inet lab silence iifname '"r-vpn"' oifname '"r-host"' ct direction original drop
}

# host_filter_gone: and the client's packets leave under the host's address as before.
host_filter_gone() {
  nft -f - <<'END'
table inet meddler {
  chain hide { type nat hook postrouting priority 101; oifname "up0" udp dport 1194 masquerade; }
}
END
  nft delete table inet vpnrun_links
}
host_filter_back() {
  nft -f "$LAB/tmp/host.table"
  nft delete table inet meddler
}

# scene: the tunnel, the watch, the service; the companion is frozen, so that what is taken away stays so.
scene() {
  strangers_away
  tunnel_start one
  link_facts
  watch_raise
  service_raise
  nft list table inet vpnrun_links >"$LAB/tmp/host.table"
  # Ping sockets are open to all on Debian; the kernel's own setting is nobody.
  inside sysctl -qw net.ipv4.ping_group_range='0 2147483647'
}
freeze() { kill -STOP "${TUNNEL_PID[one]}"; }
scene_end() {
  kill "$SERVICE"
  kill -CONT "${TUNNEL_PID[one]}"
  tunnel_release one
}

inside() { nsenter --net=/run/vpnrun/one/netns --mount=/run/vpnrun/one/mnt -- "$@"; }
# As alice with CAP_NET_RAW and nothing else, without vpnrun's filter of socket families.
inside_raw() {
  inside setpriv --reuid=alice --regid=alice --init-groups --inh-caps=-all,+net_raw \
    --ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw -- "$@"
}

# attacks WHAT LEAST COMMAND…: COMMAND reports at least LEAST attacks, each sent or refused.
attacks() {
  local what=$1 least=$2 count odd
  shift 2
  attempt "$@"
  is "$what: the attacks ran to their end" "$STATUS${ERR:+ $ERR}" 0
  odd=$(grep -Ev '^[^ ]+ (sent|refused E[A-Z0-9]+)$' <<<"$OUT" || :)
  count=$(wc -l <<<"$OUT")
  empty "$what: each was tried" "$odd"
  is "$what: at least $least" "$((count >= least))" 1
  pass "$what: what became of them" \
    "$(awk '{ n[$2 == "sent" ? "sent" : $3]++ } END { for (e in n) printf "%s %d ", e, n[e] }' <<<"$OUT")"
}

# kernel_took NAME…: after attacks; these went out of the process, so somebody else has to stop them.
kernel_took() {
  local name
  for name; do
    is "the kernel took $name" "$(awk -v name="$name" '$1 == name { print $2, $3 }' <<<"$OUT")" 'sent '
  done
}

round_start() {
  REACHED=$(watch_count)
  SERVICE_LINES=$(wc -l <"$LAB/log/host-service")
  capture_start
}

# round_clean WHAT: ends the capture; nothing got out, nothing arrived at the host.
round_clean() {
  capture_stop
  empty "$1: nothing left the machine" "$(capture_stray "$ENDPOINT" | head -n 12)"
  empty "$1: nothing under a foreign hardware address" \
    "$(tcpdump -n -e -r "$CAPTURE_FILE" "not ether src $OWN_MAC" 2>/dev/null | head -n 12)"
  is "$1: nothing got as far as the host's input or forwarding" "$(($(watch_count) - REACHED))" 0
  empty "$1: no service of the host was reached" "$(service_news)"
}

# round_seen WHAT FILTER…: ends the capture; each FILTER has matched a packet.
round_seen() {
  local what=$1 filter
  shift
  capture_stop
  for filter; do
    is "$what: the capture sees $filter" "$(capture_has "$filter" && echo yes)" yes
  done
}

# A default route over the veth beside the tunnel's: without any, packets bound to the veth would have
# no next hop, and a test of the filters would test that.
way_over_uplink() { ip -n one route add default via "$GATEWAY" dev uplink metric 900; }

case $1 in
  ordinary | raw | root | owner | lan | connection | families) source "$SOURCE/tests/system/packets_$1.sh" ;;
  *) lab_die "packets: unknown part '$1'" ;;
esac
