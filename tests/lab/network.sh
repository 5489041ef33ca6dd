# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The world around the machine: router, VPN provider, web. The addresses are at the head of lab.sh.

network_namespace() {
  : >"$LAB/ns/$1"
  unshare --net="$LAB/ns/$1" true
  on "$1" ip link set lo up
  # A router asks for its neighbours from its link-local address; duplicate detection would cost a
  # second for each link before it may.
  on "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
}

# network_address NAMESPACE DEVICE ADDRESS…; NAMESPACE '-' is the host.
network_address() {
  local name=$1 device=$2 address
  local -a run=()
  [ "$name" = - ] || run=(on "$name")
  shift 2
  for address; do
    if [[ $address == *:* ]]; then
      "${run[@]}" ip address add "$address" dev "$device" nodad
    else
      "${run[@]}" ip address add "$address" dev "$device"
    fi
  done
  # A first question that is lost to a link which has just come up costs another second.
  "${run[@]}" sysctl -qw "net.ipv6.neigh.$device.retrans_time_ms=50"
  "${run[@]}" ip link set "$device" up
}

network_links() {
  ip link set lo up
  ip link add up0 type veth peer name r-host netns "$LAB/ns/router"
  on router ip link add r-vpn type veth peer name v0 netns "$LAB/ns/vpn"
  on router ip link add r-web type veth peer name w0 netns "$LAB/ns/web"
  # Nothing of the host's own may look like a leak.
  sysctl -qw net.ipv6.conf.up0.accept_dad=0 net.ipv6.conf.up0.accept_ra=0 \
    net.ipv6.conf.up0.router_solicitations=0
  network_address - up0 192.168.77.2/24 2001:db8:77::2/64
  network_address router r-host 192.168.77.1/24 2001:db8:77::1/64
  network_address router r-vpn 198.51.100.1/24 2001:db8:51::1/64
  network_address router r-web 203.0.113.1/24 2001:db8:cb::1/64
  network_address vpn v0 198.51.100.10/24 198.51.100.20/24 2001:db8:51::10/64 2001:db8:51::20/64
  network_address web w0 203.0.113.10/24 2001:db8:cb::10/64
}

network_routes() {
  ip route add default via 192.168.77.1
  ip -6 route add default via 2001:db8:77::1
  on vpn ip route add default via 198.51.100.1
  on vpn ip -6 route add default via 2001:db8:51::1
  on web ip route add default via 203.0.113.1
  on web ip -6 route add default via 2001:db8:cb::1
  on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  on vpn sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  # Its resolvers listen at addresses that OpenVPN brings.
  on vpn sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1
}

# The router hides the host behind its own address; the provider hides each tunnel behind a server.
network_filters() {
  on router nft -f - <<'END'
table inet lab {
  chain silence { type filter hook forward priority 0; policy accept; }
  chain hide {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 192.168.77.0/24 masquerade
  }
}
END
  on vpn nft -f - <<'END'
table inet lab {
  chain hide {
    type nat hook postrouting priority 100; policy accept;
    oifname "v0" ip saddr 10.8.0.0/24 snat ip to 198.51.100.10
    oifname "v0" ip saddr 10.9.0.0/24 snat ip to 198.51.100.20
    oifname "v0" ip6 saddr fd00:8::/64 snat ip6 to 2001:db8:51::10
    oifname "v0" ip6 saddr fd00:9::/64 snat ip6 to 2001:db8:51::20
  }
}
END
}

network_raise() {
  network_namespace router
  network_namespace vpn
  network_namespace web
  network_links
  network_routes
  network_filters
}

# The router drops whatever goes to or comes from the VPN servers, without a word; and stops to.
server_silent() {
  on router nft add rule inet lab silence iifname '"r-vpn"' drop
  on router nft add rule inet lab silence oifname '"r-vpn"' drop
}
server_talks() { on router nft flush chain inet lab silence; }
