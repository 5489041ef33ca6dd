# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A network that wants a log-in in a browser first: its resolver answers every name with the router's own address,
# a web server answers in the place of every other, and DHCP names the page. That is said, with the way out, it
# goes on trying by itself, and comes up once somebody has logged in. Nobody is asked for it: nothing but the
# tunnel's own packets leaves the machine.
state_says() { grep -Eq "\"(error|hint)\": \"[^\"]*$1" /run/vpnrun/one/state.json; }
PORTAL='log-in in a browser first \(captive portal\)'
portal_names() {
  background "$LAB/log/portal-names" on router dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
    --bind-interfaces --listen-address=192.168.77.1 --user=root --pid-file= "$@"
  wait_until 5 eval '[ -n "$(on router ss -Hulpn "sport = :53")" ]' || lab_die 'the portal answers no names'
}
names_end() {
  kill "$(pgrep -f 'dnsmasq .*--listen-address=192.168.77.1 ')"
  wait_until 5 eval '[ -z "$(on router ss -Hulpn "sport = :53")" ]' || lab_die 'a resolver does not end'
}
echo 'nameserver 192.168.77.1' >/etc/resolv.conf
names_end # the provider's
server_silent

# --- every name leads to the router ---
ovpn_one "$PROFILES/one.ovpn" client 'vpn.example.org 1194'
profile one
portal_names '--address=/#/192.168.77.1'
tunnel_prepare one
capture_start
tunnel_run one
within 45 'names that lead to the router are said to be a portal' state_says "$PORTAL"
check 'with the way out' state_says 'open any page .* in a browser outside the tunnel'
check 'it goes on trying' eval 'grep -Eq "\"state\": *\"(starting|reconnecting)\"" /run/vpnrun/one/state.json'
capture_stop
empty 'nothing was asked for that' \
  "$(capture_stray '(dst host 192.168.77.1 and (udp port 53 or udp port 1194))' '(icmp and dst host 192.168.77.1)')"
# Somebody has logged in.
names_end
portal_names '--address=/vpn.example.org/198.51.100.10'
server_talks
within 60 'after the log-in it comes up by itself' tunnel_up one
check 'and says nothing of a portal' eval '! state_says captive'
tunnel_release one
names_end

# --- a page that DHCP has named, as systemd-networkd writes it down ---
ovpn_one "$PROFILES/one.ovpn"
profile one
server_silent
mkdir -p /run/systemd/netif/links
INDEX=$(cat /sys/class/net/up0/ifindex 2>/dev/null || ip -o link show up0 | cut -d : -f 1)
printf 'OPER_STATE=routable\nCAPTIVE_PORTAL=http://192.168.77.1/login\n' >"/run/systemd/netif/links/$INDEX"
tunnel_prepare one
tunnel_run one
within 45 'the page that DHCP has named is said' state_says 'open http://192\.168\.77\.1/login in a browser'
server_talks
within 60 'after the log-in it comes up by itself' tunnel_up one
tunnel_release one
rm -r /run/systemd/netif

# --- NetworkManager has found a portal: asked over the machine's bus ---
server_silent
mkdir -p /run/dbus
cat >"$LAB/tmp/bus.conf" <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
END
background "$LAB/log/bus" dbus-daemon "--config-file=$LAB/tmp/bus.conf" --nofork --nopidfile
BUS=$BACKGROUND
wait_until 5 test -S /run/dbus/system_bus_socket || lab_die 'the bus did not start'
echo 2 >"$LAB/tmp/connectivity"
background "$LAB/log/network-manager" python3 "$SOURCE/tests/probes/network_manager.py" /run/dbus/system_bus_socket \
  "$LAB/tmp/connectivity"
MANAGER=$BACKGROUND
wait_until 5 grep -q ready "$LAB/log/network-manager" || lab_die 'nobody has the name of NetworkManager'
tunnel_prepare one
tunnel_run one
within 45 'what NetworkManager has found out is said' state_says "$PORTAL"
echo 4 >"$LAB/tmp/connectivity"
server_talks
within 60 'after the log-in it comes up by itself' tunnel_up one
tunnel_release one
# It has found the way open: a silent server is a silent server, whatever page the network names.
server_silent
mkdir -p /run/systemd/netif/links
printf 'CAPTIVE_PORTAL=http://192.168.77.1/login\n' >"/run/systemd/netif/links/$INDEX"
tunnel_prepare one
tunnel_run one
within 45 'with an open way nobody speaks of a portal' state_says 'no (answer from|connection to)'
check 'at all' eval '! state_says captive'
tunnel_release one
server_talks
rm -r /run/systemd/netif
kill "$MANAGER" "$BUS"

# --- a web server in the place of every server ---
profile_two
printf '#!/bin/sh\nhead -c 1 >/dev/null\nprintf "HTTP/1.1 302 Found\\r\\nLocation: http://192.168.77.1/\\r\\n\\r\\n"\n' >"$LAB/bin/portal-page"
chmod 0755 "$LAB/bin/portal-page"
background "$LAB/log/portal-page" on router socat TCP4-LISTEN:8080,fork,reuseaddr EXEC:"$LAB/bin/portal-page"
on router nft add table ip portal '{ chain catch { type nat hook prerouting priority -100; iifname "r-host" tcp dport 443 redirect to :8080; }; }'
tunnel_prepare two
tunnel_run two
within 45 'a web server in the place of the server is said' \
  grep -Eq '"error": "[^"]*what answers there is a web server' /run/vpnrun/two/state.json
check 'with the way out' grep -Eq '"hint": "[^"]*captive portal' /run/vpnrun/two/state.json
on router nft delete table ip portal
within 60 'after the log-in it comes up by itself' tunnel_up two
tunnel_release two
