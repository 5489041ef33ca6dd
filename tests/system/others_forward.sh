# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A guest behind the machine, by forwarding on single interfaces as systemd-networkd sets it, with the
# address of the machine; it has a port published, too. Set up before or during the life of a tunnel it
# works while the tunnel is up and after release; what nobody else has switched on is off again.
ORDER=$1
WEB4=http://203.0.113.10/
UP0=net.ipv4.conf.up0.forwarding
forwarding() { sysctl -n "$UP0"; }
guard() { nft list set inet vpnrun_links guarded | grep -c up; }

guest_raise() {
  : >"$LAB/ns/guest"
  unshare --net="$LAB/ns/guest" true
  ip link add br-g type veth peer name g0 netns "$LAB/ns/guest"
  network_address - br-g 172.30.0.1/24
  network_address guest g0 172.30.0.2/24
  on guest ip link set lo up
  on guest ip route add default via 172.30.0.1
  nft -f - <<'END'
table inet guest {
  chain publish { type nat hook prerouting priority -100; iifname "up0" tcp dport 8081 dnat ip to 172.30.0.2:80; }
  chain hide { type nat hook postrouting priority 100; ip saddr 172.30.0.0/24 oifname "up0" masquerade; }
}
END
  printf '#!/bin/sh\nread -r request\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\nguest\\n"\n' >"$LAB/bin/guest-page"
  chmod 0755 "$LAB/bin/guest-page"
  background "$LAB/log/guest-page" nsenter --net="$LAB/ns/guest" -- socat TCP4-LISTEN:80,fork,reuseaddr EXEC:"$LAB/bin/guest-page"
  GUEST_PAGE=$BACKGROUND
}
guest_forwards() { sysctl -qw net.ipv4.conf.br-g.forwarding="$1" "$UP0=$1"; }
guest_asks() { [ "$(on guest curl -s -m 2 $WEB4)" = 203.0.113.1 ]; }
guest_is_asked() { [ "$(on router curl -s -m 2 http://192.168.77.2:8081/)" = guest ]; }
guest_works() {
  within 5 "$1: the guest reaches the web" guest_asks
  within 5 "$1: the guest's published port is reached" guest_is_asked
}
tunnel_works() { is "$1: so does the application" "$(by alice vpnrun curl -s -m 5 $WEB4)" 198.51.100.10; }
cut_off() {
  attempt on guest curl -s -m 1 $WEB4
  is "$1: the guest does not reach the web" "$OUT" ''
  attempt on router curl -s -m 1 http://192.168.77.2:8081/
  is "$1: and is not reached" "$OUT" ''
}

profile_one
snapshot before
guest_raise
cut_off 'positive control: without forwarding'
guest_forwards 1
guest_works 'positive control: without vpnrun'
guest_forwards 0

if [ "$ORDER" = before ]; then
  guest_forwards 1
  tunnel_start one
  is 'what forwards without us is not guarded' "$(guard)" 0
  guest_works 'set up before'
  tunnel_works 'set up before'
  # They stop, while the tunnel still needs it.
  guest_forwards 0
  within 5 'when others switch it off it is on for us' eval '[ "$(forwarding)" != 0 ]'
  within 5 'and guarded' eval '[ "$(guard)" = 1 ]'
  cut_off 'switched off by others'
  tunnel_works 'switched off by others'
  tunnel_release one
  is 'after release it is off' "$(forwarding)" 0
else
  tunnel_start one
  is 'what forwards for us alone is guarded' "$(guard)" 1
  # Half of it, then the other half: the machine is as it would be without vpnrun.
  sysctl -qw net.ipv4.conf.br-g.forwarding=1
  attempt on router curl -s -m 1 http://192.168.77.2:8081/
  is 'forwarding on the guest'"'"'s side alone opens nothing' "$OUT" ''
  guest_forwards 1
  guest_works 'set up during'
  tunnel_works 'set up during'
  is 'it is theirs now' "$(forwarding)$(guard)" 10
  kill -9 "$(client_pid one)"
  within 15 'a new client' tunnel_up one
  guest_works 'after another connection'
  tunnel_release one
  is 'after release it is on as they have set it' "$(forwarding)" 1
fi

# What writes ip_forward (Docker, libvirt, NetworkManager) means all interfaces.
guest_forwards 0
tunnel_start one
sysctl -qw net.ipv4.ip_forward=1
guest_works 'ip_forward, set during'
sysctl -qw net.ipv4.ip_forward=0
within 5 'ip_forward is off again: guarded as before' eval '[ "$(guard)" = 1 ] && [ "$(forwarding)" != 0 ]'
cut_off 'ip_forward is off again'
# On for all the others, but not for the uplink: that is meant.
sysctl -qw net.ipv4.ip_forward=1 "$UP0=0"
within 5 'on for others only: guarded' eval '[ "$(guard)" = 1 ] && [ "$(forwarding)" != 0 ]'
attempt on router curl -s -m 1 http://192.168.77.2:8081/
is 'on for others only: the guest is not reached from the uplink' "$OUT" ''
tunnel_works 'on for others only'
tunnel_release one
is 'and after release it is off on the uplink alone' "$(forwarding)$(sysctl -n net.ipv4.ip_forward)" 01
sysctl -qw net.ipv4.ip_forward=0

# Nobody who was killed keeps it from being found out.
tunnel_start one
kill_hard "${TUNNEL_PID[one]}"
guest_forwards 1
tunnel_run one
within 15 'after a kill the tunnel is up' tunnel_up one
guest_works 'set up after a kill'
kill_hard "${TUNNEL_PID[one]}"
check 'release after a kill' "$TUNNEL" release one
is 'after that it is on as they have set it' "$(forwarding)" 1
guest_works 'after release'
guest_forwards 0
tunnel_start one
kill_hard "${TUNNEL_PID[one]}"
guest_forwards 1
check 'release after a kill, set up between the two' "$TUNNEL" release one
is 'it is on as they have set it' "$(forwarding)" 1
guest_forwards 0

# An uplink that gets another name.
tunnel_start one
ip link set up0 down
ip link set up0 name up9
ip link set up9 up
# Also while no server is reached by it.
within 5 'renamed, the uplink is guarded by its new name' \
  eval 'nft list set inet vpnrun_links guarded | grep -q up9'
ip route add default via 192.168.77.1
within 30 'and the tunnel is up' eval 'tunnel_up one && by alice vpnrun curl -s -m 2 $WEB4'
ip link set up9 down
ip link set up9 name up0
network_address - up0 2001:db8:77::2/64
ip route add default via 192.168.77.1
ip -6 route add default via 2001:db8:77::1
within 30 'named back, the tunnel is up' eval 'tunnel_up one && by alice vpnrun curl -s -m 2 $WEB4'
tunnel_release one
is 'after release it is off' "$(forwarding)" 0

# vpnrun 0.1.0 was killed: 1, and an empty entry.
tunnel_prepare one
mkdir -p /run/vpnrun/.forwarding/up0 /run/vpnrun/.forwarding/lo
: >/run/vpnrun/.forwarding/up0/one
: >/run/vpnrun/.forwarding/lo/one
sysctl -qw "$UP0=1" net.ipv4.conf.lo.forwarding=1
tunnel_start one
is 'what 0.1.0 has switched on is guarded' "$(guard)" 1
is 'and off on the loopback device' "$(sysctl -n net.ipv4.conf.lo.forwarding)" 0
tunnel_release one
is 'after release it is off' "$(forwarding)" 0
ip link del br-g
nft delete table inet guest
kill "$GUEST_PAGE"
within 5 'the guest is gone' gone "$GUEST_PAGE"
umount "$LAB/ns/guest"
rm "$LAB/ns/guest"
unchanged_since before 'after release'
