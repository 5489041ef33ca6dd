# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# liveness CASE: a server that falls silent is noticed, whatever its configuration and the client's file say.
CASE=$1
# The servers of the lab push what --keepalive says; this one does not.
quiet_server() {
  background "$LAB/log/server-quiet" on vpn openvpn --dev tun-quiet --dev-type tun --topology subnet \
    --ca "$LAB/tls/ca.crt" --cert "$LAB/tls/server.crt" --key "$LAB/tls/server.key" --dh none --disable-dco \
    --duplicate-cn --verb 3 --proto udp6 --port 1366 --server 10.7.66.0 255.255.255.0 --ping 1 \
    --push 'redirect-gateway def1' --push 'dhcp-option DNS 10.8.0.1' "$@"
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/server-quiet" || lab_die 'the server failed'
}
not_up() { ! grep -q '"state": *"up"' /run/vpnrun/quiet/state.json; }
# file LINE…: the profile, with these lines.
file() {
  ovpn_one "$PROFILES/quiet.ovpn" client '198.51.100.10 1366'
  printf '%s\n' "$@" >>"$PROFILES/quiet.ovpn"
  profile quiet
}
notices() {
  within "$1" "$2" not_up
  empty 'the default route is gone' "$(ip -n quiet route show default)"
  server_talks
}

case $CASE in
  pushed)
    quiet_server --push 'ping-restart 0' --push 'ping-exit 0'
    file 'ping-restart 5'
    tunnel_start quiet
    throughout 7 'a server that lives is not given up' tunnel_up quiet
    server_silent
    notices 20 'a server cannot switch the check off'
    within 30 'and it comes back' tunnel_up quiet
    tunnel_release quiet
    ;;
  exit)
    quiet_server
    file 'ping-exit 5'
    tunnel_start quiet
    CLIENT=$(client_pid quiet)
    server_silent
    notices 20 'a silent server is noticed'
    within 30 'it comes back' tunnel_up quiet
    is 'with the same client: ping-exit ends none' "$(client_pid quiet)" "$CLIENT"
    tunnel_release quiet
    ;;
  none)
    # As long as OpenVPN takes by default.
    quiet_server
    file 'ping 15' 'ping-restart 0'
    tunnel_start quiet
    server_silent
    notices 170 'a file that switches the check off is not obeyed'
    tunnel_release quiet
    ;;
  *) lab_die "no such case: $CASE" ;;
esac
