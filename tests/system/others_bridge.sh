# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The uplink is a bridge with a virtual machine at another port. Where br_netfilter is loaded what the
# bridge carries from port to port passes the host's filters as if it were forwarded: it is not ours, and
# is not touched, though what the machine itself would forward is.
WEB4=http://203.0.113.10/
ip link add br0 type bridge
ip address flush dev up0
ip link set up0 master br0
network_address - br0 192.168.77.2/24 2001:db8:77::2/64
ip route add default via 192.168.77.1
on router ip neigh flush all

: >"$LAB/ns/vm"
unshare --net="$LAB/ns/vm" true
ip link add vm0 type veth peer name v0 netns "$LAB/ns/vm"
ip link set vm0 master br0 up
network_address vm v0 192.168.77.50/24
on vm ip route add default via 192.168.77.1
# And a guest on another network, to which the machine forwards from nowhere.
: >"$LAB/ns/guest"
unshare --net="$LAB/ns/guest" true
ip link add br-g type veth peer name g0 netns "$LAB/ns/guest"
network_address - br-g 172.30.0.1/24
network_address guest g0 172.30.0.2/24
on guest ip route add default via 172.30.0.1
on router ip route add 172.30.0.0/24 via 192.168.77.2
sysctl -qw net.ipv4.conf.br-g.forwarding=1

printf '#!/bin/sh\nread -r request\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\n%%s\\n" "$SOCAT_SOCKADDR"\n' >"$LAB/bin/page"
chmod 0755 "$LAB/bin/page"
for machine in vm guest; do
  background "$LAB/log/page-$machine" nsenter --net="$LAB/ns/$machine" -- \
    socat TCP4-LISTEN:80,fork,reuseaddr EXEC:"$LAB/bin/page"
done
filters_bridges() { [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" = 1 ]; }
filters_bridges || echo '# no br_netfilter here: the bridge would carry everything anyway'
vm_works() {
  within 5 "$1: the virtual machine reaches the web" eval '[ "$(on vm curl -s -m 2 $WEB4)" = 203.0.113.1 ]'
  within 5 "$1: and is reached" eval '[ "$(on router curl -s -m 2 http://192.168.77.50/)" = 192.168.77.50 ]'
}
guest_is_reached() { [ "$(on router curl -s -m 2 http://172.30.0.2/)" = 172.30.0.2 ]; }

sysctl -qw net.ipv4.conf.br0.forwarding=1
within 5 'positive control: forwarded to, the guest is reached' guest_is_reached
sysctl -qw net.ipv4.conf.br0.forwarding=0
vm_works 'positive control: without vpnrun'
profile_one
tunnel_start one
like 'the bridge is guarded' "$(nft list set inet vpnrun_links bridges)" 'elements = { "br0" }'
vm_works 'the tunnel is up'
is 'the tunnel is up: the application is online' "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10
attempt guest_is_reached
is 'the tunnel is up: the guest is not reached' "$((STATUS != 0))" 1
tunnel_release one
is 'after release the bridge forwards as before' "$(sysctl -n net.ipv4.conf.br0.forwarding)" 0
vm_works 'after release'
