# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Enabled at boot: with the network there, with a server whose name nobody can look up yet, after a power
# failure. Nobody waits for a tunnel, and a shutdown leaves nothing.
WEB4=http://203.0.113.10/
THROUGH=198.51.100.10

state() { inside systemctl is-system-running; }
boot_again() {
  BOOTED=
  machine_reboot
  BOOTED=$(state)
}

check 'the package is installed' machine_install
machine_profile one
check 'enabled' inside systemctl enable vpnrun@one.service vpnrun@one.socket
boot_again
is 'the machine boots' "$BOOTED" running
check 'vpnrun.target is reached' unit_is active vpnrun.target
within 15 'the tunnel comes up by itself' machine_tunnel_up one
is 'alice is behind it' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH

# --- down: nothing stays, in the right order ---
# shellcheck disable=SC2016
background "$LAB/log/app-loop" as_user alice vpnrun bash -c 'while :; do curl -s -m 1 '$WEB4'; sleep 0.1; done'
wait_until 5 grep -q . "$LAB/log/app-loop"
capture_start
inside systemctl --no-block poweroff
machine_ends
is 'after the shutdown no rule is left' "$(nft list ruleset)" ''
is 'and no link' "$(ip -o link show | awk -F '[:@ ]+' '{ print $2 }' | sort | xargs)" 'lo up0'
is 'forwarding is off, as it was' "$(cat /proc/sys/net/ipv4/ip_forward)" 0
capture_stop
# What the host itself tells the server whose client is gone does not come from an application.
empty 'nothing left outside of the tunnel on the way down' \
  "$(capture_stray "$CAPTURE_ONE")"
machine_forget

# --- up: before the network, with a server that is a name ---
sed -i 's/^remote .*/remote vpn.example 1194/' "$PROFILES/one.ovpn"
echo 'nameserver 192.0.2.53' >"$DISK/etc/resolv.conf"   # nobody
ip link set up0 down
capture_device=up0
machine_boot
is 'without any network the machine boots as well' "$(state)" running
like 'the tunnel is on its way, and says what is missing' "$(inside systemctl show --property=StatusText --value vpnrun@one)" \
  "starting.* to vpn\.example.*(cannot resolve the server's name|starting)"
attempt as_user alice timeout 20 vpnrun --wait 2 curl -s -m 2 $WEB4
is 'a launch meanwhile waits as long as it is told, and fails' "$STATUS" 125
like 'with the reason' "$ERR" "cannot resolve the server's name 'vpn\.example'"
ip link set "$capture_device" up
ip route replace default via 192.168.77.1
not_up() { ! inside vpnrunctl status one | grep -Eq 'state +up'; }
throughout 1 'the network is there, names are not yet' not_up
echo 'nameserver 192.168.77.1' >"$LAB/tmp/resolv.conf"
put "$LAB/tmp/resolv.conf" /etc/resolv.conf
capture_start
within 70 'with names the tunnel comes up by itself' machine_tunnel_up one
is 'and alice is behind it' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" $THROUGH
capture_stop
empty 'only the server was looked up, outside' \
  "$(capture_stray "$CAPTURE_ONE" '(udp port 53 and (host 192.168.77.1 or host 192.0.2.53))')"

# --- a power failure ---
machine_crash
machine_boot
is 'it boots after a power failure' "$(state)" running
within 20 'and the tunnel is up again' machine_tunnel_up one
check 'disabled' inside systemctl disable vpnrun@one.service vpnrun@one.socket
boot_again
is 'not enabled, it stays down' "$(inside systemctl is-active vpnrun@one.service vpnrun@one.socket | xargs)" 'inactive inactive'
