# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The parts of the lab that the faults break: servers that can be restarted and moved, a second way
# to the provider, a resolver that changes its mind.
#
#   host                        router
#   up0 192.168.77.2 ────────── r-host   as in the lab
#   up1 192.168.78.2 ────────── r-alt 192.168.78.1    down unless it stands in for up0
#
# The server of "one" answers at 198.51.100.10 or, after a move, at 198.51.100.30.

declare -A SERVER_PID=()
PLACES=(198.51.100.10 198.51.100.30)
PLACE=0
UPLINK=up0

# start_in NAMESPACE LOG COMMAND…: like `background LOG on NAMESPACE COMMAND…`, but BACKGROUND is the pid
# of COMMAND itself, not that of a shell around it.
start_in() {
  local namespace=$1 log=$2
  shift 2
  background "$log" nsenter --net="$LAB/ns/$namespace" -- "$@"
}

# server_start one|two. The client is told to give up after three seconds of silence.
server_start() {
  local -a options=(--ca "$LAB/tls/ca.crt" --cert "$LAB/tls/server.crt" --key "$LAB/tls/server.key" --dh none
    --dev-type tun --topology subnet --keepalive 1 3 --disable-dco --duplicate-cn --verb 3 --suppress-timestamps
    --push 'redirect-gateway def1 ipv6')
  case $1 in
    one)
      options+=(--dev tun-one --proto udp6 --multihome --port 1194 --server 10.8.0.0 255.255.255.0
        --server-ipv6 fd00:8::/64 --push 'dhcp-option DNS 10.8.0.1')
      ;;
    two)
      options+=(--dev tun-two --proto tcp-server --local 198.51.100.20 --port 443 --server 10.9.0.0 255.255.255.0
        --server-ipv6 fd00:9::/64 --verify-client-cert none --username-as-common-name --script-security 2
        --auth-user-pass-verify "$LAB/tls/check-password" via-file --push 'dhcp-option DNS 10.9.0.1')
      ;;
  esac
  start_in vpn "$LAB/log/server-$1" openvpn "${options[@]}"
  SERVER_PID[$1]=$BACKGROUND
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$1" || {
    tail -n 5 "$LAB/log/server-$1" >&2
    lab_die "server $1 did not start"
  }
}

# server_end one|two [SIGNAL]
server_end() {
  kill "-${2:-KILL}" "${SERVER_PID[$1]}"
  wait "${SERVER_PID[$1]}" 2>/dev/null || :
}

# lab_pid PATTERN: a process that the lab itself started.
lab_pid() {
  local pid
  pid=$(pgrep -o -f -- "$1") || lab_die "no process matches '$1'"
  echo "$pid"
}

# isp_answers ADDRESS: what the provider's resolver says for vpn.example from now on.
isp_answers() {
  echo "$1 vpn.example" >"$LAB/tmp/isp-hosts"
  kill -HUP "$ISP_PID"
}

world_servers() {
  local pattern pid
  for pattern in '^openvpn --dev tun-one ' '^openvpn --dev tun-two ' '^dnsmasq .*--listen-address=192.168.77.1 '; do
    pid=$(lab_pid "$pattern")
    kill_hard "$pid"
  done
  on vpn ip address add 198.51.100.30/24 dev v0
  server_start one
  server_start two
  echo "${PLACES[0]} vpn.example" >"$LAB/tmp/isp-hosts"
  start_in router "$LAB/log/dns-isp" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
    --no-hosts --addn-hosts="$LAB/tmp/isp-hosts" --user=root --pid-file= --bind-dynamic \
    --listen-address=192.168.77.1 --log-queries --log-facility=- --cache-size=0 --address=/who.example/192.0.2.77
  ISP_PID=$BACKGROUND
  start_in web "$LAB/log/chaos-web" python3 "$LAB/bin/chaos_web.py"
  wait_until 5 grep -q ready "$LAB/log/chaos-web" || lab_die 'the web server of the applications did not start'
  wait_until 5 getent ahostsv4 vpn.example || lab_die 'the resolver did not start'
}

# A device that says nothing of its own accord.
world_quiet() {
  sysctl -qw "net.ipv6.conf.$1.accept_dad=0" "net.ipv6.conf.$1.accept_ra=0" \
    "net.ipv6.conf.$1.router_solicitations=0" "net.ipv6.neigh.$1.retrans_time_ms=50"
}

world_uplinks() {
  ip link add up1 type veth peer name r-alt netns "$LAB/ns/router"
  world_quiet up1
  network_address router r-alt 192.168.78.1/24 2001:db8:78::1/64
  on router ip route add 192.0.2.200 via 192.168.77.2 dev r-host
  on router ip route add 192.0.2.201 via 192.168.78.2 dev r-alt
}

# Somebody on each uplink's network hopes that the machine forwards for him. If it does, the packet
# comes back out of an uplink.
neighbours_ask() {
  local number
  for number in 200 201; do
    echo forward | on router socat -u - "UDP4:192.0.2.$number:47009" 2>/dev/null || :
  done
}

# The number of an uplink's network.
uplink_net() { [ "$1" = up0 ] && echo 77 || echo 78; }

# uplink_routes DEVICE: the default routes of the machine lead over it.
uplink_routes() {
  local net
  net=$(uplink_net "$1")
  ip route replace default via "192.168.$net.1" dev "$1"
  ip -6 route replace default via "2001:db8:$net::1" dev "$1"
}

# uplink_raise DEVICE: up, with its addresses, without routes.
uplink_raise() {
  local net
  net=$(uplink_net "$1")
  ip link set "$1" up
  ip address replace "192.168.$net.2/24" dev "$1"
  ip address replace "2001:db8:$net::2/64" dev "$1" nodad
}

uplink_lower() { ip link set "$1" down; }

# uplink_drop DEVICE: as when the cable is pulled and the lease is gone.
uplink_drop() {
  ip address flush dev "$1"
  ip link set "$1" down
}

uplink_restore() {
  uplink_raise "$UPLINK"
  uplink_routes "$UPLINK"
}

# server_place NUMBER: from now on "one" is at PLACES[NUMBER] only, and the world knows it.
server_place() {
  PLACE=$1
  isp_answers "${PLACES[PLACE]}"
  world_filter
}

# What the router drops: the place that the server has left, and everything while it is silent.
# world_filter [one|two]…: these are silent.
world_filter() {
  local gone=${PLACES[1 - PLACE]} server
  {
    echo 'flush chain inet lab silence'
    echo "add rule inet lab silence ip daddr $gone udp dport 1194 drop"
    echo "add rule inet lab silence ip saddr $gone udp sport 1194 drop"
    for server; do
      case $server in
        one) printf 'add rule inet lab silence udp %s 1194 drop\n' dport sport ;;
        two) printf 'add rule inet lab silence tcp %s 443 drop\n' dport sport ;;
      esac
    done
  } | on router nft -f -
}
