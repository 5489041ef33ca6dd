# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What an application may not reach is refused at once, with an answer: a program whose packets are dropped without
# a word hangs until it gives up. Nothing of that is seen on the veth, by the host or outside. A service of the
# machine is reached by a Unix socket, as the manual says.
# No time is measured: a program that hangs is ended by its limit, and that is another exit status.
background "$LAB/log/service" socat TCP4-LISTEN:8000,fork,reuseaddr SYSTEM:'echo service'
background "$LAB/log/service-unix" socat "UNIX-LISTEN:$LAB/tmp/service.sock,fork,mode=666" SYSTEM:'echo service'
chmod 0711 "$LAB" "$LAB/tmp"
profile_one
tunnel_start one
HOST_END=$(ip -o -4 address show dev vr-one | awk '{ sub("/.*", "", $4); print $4 }')
NS_END=$(ip -n one -o -4 address show dev uplink | awk '{ sub("/.*", "", $4); print $4 }')
service() { [ "$(by alice socat -u "TCP4:$HOST_END:8000" - 2>/dev/null)" = service ]; }
within 5 'positive control: the machine itself reaches its service there' service

# connect WHAT ERROR COMMAND…: under vpnrun; it ends by itself, with this error.
connect() {
  local what=$1 error=$2
  shift 2
  attempt by alice timeout 60 vpnrun "$@"
  is "$what: does not hang" "$((STATUS == 124 || STATUS == 28))" 0
  like "$what: is refused" "$ERR$OUT" "$error"
}
veth_start() {
  VETH=$(mktemp --suffix=.pcap "$LAB/tmp/veth.XXXXXX")
  background "$VETH.log" tcpdump --immediate-mode -Z root -U -n -i vr-one -w "$VETH"
  VETH_PID=$BACKGROUND
  wait_until 5 grep -q 'listening on' "$VETH.log" || lab_die 'the capture of the veth did not start'
}
veth_stop() {
  # What the client sends is seen: the capture works.
  by alice vpnrun curl -s -m 10 http://203.0.113.10/ >/dev/null
  wait_until 5 eval '[ -n "$(tcpdump -n -r "$VETH" "udp port 1194" 2>/dev/null)" ]' || lab_die 'the capture misses the client'
  kill "$VETH_PID"
  wait "$VETH_PID" || return 1
}
REFUSED='[Cc]onnection refused|not permitted|[Uu]nreachable|No route|Couldn.t connect|Failed to connect'
veth_start
connect 'a service of the machine' 'Connection refused' socat -u "TCP4:$HOST_END:8000" -
connect 'another port of it' 'Connection refused' socat -u "TCP4:$HOST_END:22" -
connect 'a datagram to it' "$REFUSED" bash -c "echo x >/dev/udp/$HOST_END/8000"
connect 'the web, from the address of the veth' "$REFUSED" curl -sS -m 60 --interface "$NS_END" http://203.0.113.10/
connect 'the web, from a loopback address' "$REFUSED" curl -sS -m 60 --interface 127.0.0.1 http://203.0.113.10/
connect 'the VPN server itself, by another port' "$REFUSED" \
  curl -sS -m 60 --interface "$NS_END" http://198.51.100.10:81/
connect 'the web, bound to the link'"'"'s device' 'Connection refused' socat -u TCP4:203.0.113.10:80,so-bindtodevice=uplink -
connect 'the VPN server, bound to it' 'Connection refused' socat -u TCP4:198.51.100.10:1194,so-bindtodevice=uplink -
connect 'a closed port of the namespace' 'Connection refused' socat -u TCP4:127.0.0.1:1 -
veth_stop
empty 'nothing of that was on the veth' "$(tcpdump -n -r "$VETH" 'not (host 198.51.100.10 and udp port 1194)' 2>/dev/null)"
is 'a Unix socket is the way to a service of the machine' \
  "$(by alice vpnrun socat -u "UNIX-CONNECT:$LAB/tmp/service.sock" -)" service

is 'bound to the tunnel'"'"'s device the web is reached (control)' \
  "$(by alice vpnrun curl -s -m 10 --interface tun0 http://203.0.113.10/)" 198.51.100.10

# --- without a tunnel: an application that was started before ---
vpnrunctl down one
by() {
  shift 4  # alice timeout 60 vpnrun
  ip netns exec one setpriv --reuid=alice --regid=alice --clear-groups -- timeout 60 "$@"
}
connect 'offline: the web' "$REFUSED" curl -sS -m 60 http://203.0.113.10/
connect 'offline: the web by IPv6' "$REFUSED" curl -sS -m 60 'http://[2001:db8:cb::10]/'
connect 'offline: the local network' "$REFUSED" curl -sS -m 60 http://192.168.77.1/
connect 'offline: the web, bound to the tunnel'"'"'s device' "$REFUSED" socat -u TCP4:203.0.113.10:80,so-bindtodevice=tun0 -
# A moment later the kernel passes over routes to a device without carrier.
within 20 'offline: the kernel has noticed that the tunnel has gone' \
  eval 'ip -n one -o link show dev tun0 | grep -q "state DOWN"'
connect 'offline: the web, bound to the tunnel'"'"'s device, then' "$REFUSED" socat -u TCP4:203.0.113.10:80,so-bindtodevice=tun0 -
connect 'offline: the web, bound to the link'"'"'s device' "$REFUSED" socat -u TCP4:203.0.113.10:80,so-bindtodevice=uplink -
connect 'offline: a service of the machine' "$REFUSED" socat -u "TCP4:$HOST_END:8000" -
tunnel_release one
