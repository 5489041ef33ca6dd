# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/system/names.sh
# names_pushed honest|hostile: what the server pushes as resolvers is used by whoever runs already, and is
# never a way out.
source "$SOURCE/tests/system/names.sh"

# pushing OPTION…: server "one" ends, telling its clients, and is there again with these pushed.
STARTS=0
pushing() {
  local pid option
  local -a push=()
  for pid in $(pgrep -x openvpn); do
    if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- '--port 1194 '; then
      kill "$pid"
      wait_until 5 gone "$pid" || lab_die 'server "one" does not end'
    fi
  done
  for option; do
    push+=(--push "$option")
  done
  STARTS=$((STARTS + 1))
  vpn_server "server-one-$STARTS" tun-one server --proto udp6 --port 1194 --explicit-exit-notify 1 \
    --server 10.8.0.0 255.255.255.0 --server-ipv6 fd00:8::/64 --push 'redirect-gateway def1 ipv6' "${push[@]}"
  wait_until 5 grep -q 'Initialization Sequence Completed' "$LAB/log/server-one-$STARTS" || lab_die 'server "one" failed'
  # At once, and not after the pause that comes of all these connections that did not last.
  [ -z "${TUNNEL_PID[one]:-}" ] || timeout 15 vpnrunctl up one >/dev/null 2>&1 || echo '# it is not up yet'
}
# has_pushed: the client has what this server pushes, and the companion has done with it.
has_pushed() { grep -q 'PUSH_REPLY' "$LAB/log/server-one-$STARTS" && grep -q 'Data Channel: cipher' "$LAB/log/server-one-$STARTS" && tunnel_up one; }
# status_dns WHAT: the resolvers by the companion's word, one a line.
status_dns() { by alice vpnrunctl status one --json | python3 -c 'import json, sys; print(*json.load(sys.stdin)["dns"])'; }
asked_at() { grep -q "query\[.*\] $2 " "$LAB/log/$1"; }
isp_asked_by_host() { grep -q "query\[.*\] $1 from 192\.168\.77\.2\$" "$LAB/log/dns-isp"; }

# restarted: with the profile as it is now. One restart at a time is taken.
restarted() { within 5 'restarted' by alice vpnrunctl restart one; }

# Resolvers behind the server that do not come and go with its tunnel device.
on vpn ip address add 10.8.1.53/32 dev lo
on vpn ip address add fd00:8:1::53/128 dev lo nodad
resolver vpn dns-four 10.8.1.53 --address=/who.example/192.0.2.8
resolver vpn dns-six fd00:8:1::53 --address=/who.example/192.0.2.8

profile_one
pushing 'dhcp-option DNS 10.8.0.1'
tunnel_start one
app_start 'RES_OPTIONS=timeout:1 attempts:1'
host_resolves 'before'
check 'by which the log shows the machine'"'"'s address' isp_asked_by_host "$NAME"
running_app 'at first'
check 'at the first resolver' asked_at dns-one "$NAME"
capture_start
capture_names_control

if [ "$1" = honest ]; then
  # --- others are pushed ---
  pushing 'dhcp-option DNS 10.8.1.53' 'dhcp-option DNS fd00:8:1::53' 'dhcp-option DOMAIN who.example' \
    'dhcp-option DOMAIN-SEARCH second.example'
  within 15 'the tunnel is up again, with the new resolvers' eval '[ "$(status_dns)" = "10.8.1.53 fd00:8:1::53" ]'
  within 5 'and online' tunnel_up one
  running_app 'two others pushed'
  check 'at the first of them' asked_at dns-four "$NAME"
  check 'not at the former one' eval "! asked_at dns-one $NAME"
  new_app_at() {
    fresh_name
    like "$1: a new application is answered" "$(by alice vpnrun getent ahostsv4 "$NAME" 2>&1)" '192\.0\.2\.8\b'
    check "$1: by $2" asked_at "$2" "$NAME"
    check "$1: the provider was not asked" eval "! isp_asked $NAME"
  }
  new_app_at 'two others pushed' dns-four
  is 'resolv.conf inside has both, and the domains' \
    "$(by alice vpnrun awk '/^(nameserver|search) /' /etc/resolv.conf)" \
    $'search who.example second.example\nnameserver 10.8.1.53\nnameserver fd00:8:1::53'
  echo "short$NUMBER" >&9
  within 5 'a short name is completed for the running application' grep -qx "short$NUMBER 192.0.2.8" "$LAB/log/app-names"
  for SERVER in 8.8.8.8:dns-four 2001:4860:4860::8888:dns-six; do
    fresh_name
    like "${SERVER%:*} is answered" "$(by alice vpnrun dns_query "${SERVER%:*}" "$NAME" 2>&1)" '192\.0\.2\.8$'
    check "by ${SERVER##*:}" asked_at "${SERVER##*:}" "$NAME"
  done
  # The same as OpenVPN 2.6 and later has it; 2.7 shows none of it as a dhcp-option.
  pushing 'dns server 2 address 10.8.0.1' 'dns server 1 address 10.8.1.53 fd00:8:1::53' \
    'dns search-domains who.example second.example'
  within 15 'dns options pushed' eval '[ "$(status_dns)" = "10.8.1.53 fd00:8:1::53" ]'
  within 5 'online with them' tunnel_up one
  running_app 'dns options pushed'
  check 'at the server with the lowest number' asked_at dns-four "$NAME"
  is 'resolv.conf inside has its addresses, and the domains' \
    "$(by alice vpnrun awk '/^(nameserver|search) /' /etc/resolv.conf)" \
    $'search who.example second.example\nnameserver 10.8.1.53\nnameserver fd00:8:1::53'
  pushing 'dns server 1 address 10.8.0.1' 'dns server 1 transport DoT' 'dns server 1 sni who.example'
  within 15 'a resolver that is to be asked over TLS' eval '[ -z "$(status_dns)" ] && tunnel_up one'
  like 'the status says why it is not' "$(by alice vpnrunctl status one)" 'cannot be used: it is to be asked over TLS'
  fresh_name
  unresolved 'nor is it asked in clear' by alice vpnrun dns_query 10.8.0.1 "$NAME" --timeout 1
  check 'by whatever OpenVPN makes of it' eval "! asked_at dns-one $NAME"
  pushing 'dns server 1 address 10.8.0.1' 'dns server 1 transport DoT' 'dns server 2 address 10.8.1.53' \
    'dns server 2 resolve-domains who.example'
  within 15 'one behind it that is to be asked in clear' eval '[ "$(status_dns)" = 10.8.1.53 ] && tunnel_up one'
  running_app 'the second resolver'
  check 'at that one' asked_at dns-four "$NAME"

  pushing 'dhcp-option DNS fd00:8:1::53'
  within 15 'only an IPv6 resolver pushed' eval '[ "$(status_dns)" = "fd00:8:1::53" ]'
  within 5 'online with it' tunnel_up one
  running_app 'only an IPv6 resolver'
  check 'at that one' asked_at dns-six "$NAME"
  fresh_name
  unresolved 'IPv4 to 127.0.0.53 with an IPv6 resolver only' by alice vpnrun dns_query 127.0.0.53 "$NAME" --connected
  # On a machine without resolv.conf there is nothing to lay over: libc asks 127.0.0.1, over IPv4.
  mv /etc/resolv.conf /etc/resolv.conf.away
  app_answer
  check 'and no resolv.conf on the machine: the provider was not asked' eval "! isp_asked $NAME"
  mv /etc/resolv.conf.away /etc/resolv.conf

  # --- the profile wins ---
  profile one '[dns]' 'servers = ["10.8.1.53"]'
  restarted
  within 10 'the resolvers of the profile win over the pushed' eval '[ "$(status_dns)" = "10.8.1.53" ] && tunnel_up one'
  running_app 'resolvers in the profile'
  check 'at the profile'"'"'s' asked_at dns-four "$NAME"
  check 'not at the pushed one' eval "! asked_at dns-six $NAME"
  profile one
  restarted
  within 10 'and without them the pushed one is used again' eval '[ "$(status_dns)" = "fd00:8:1::53" ] && tunnel_up one'

  # --- none ---
  pushing
  within 15 'no resolver pushed' eval '[ -z "$(status_dns)" ] && tunnel_up one'
  cut_app 'no resolver pushed'
  for SERVER in 8.8.8.8 127.0.0.53 192.168.77.1 2001:4860:4860::8888; do
    fresh_name
    unresolved "no resolver pushed, $SERVER" by alice vpnrun dns_query $SERVER "$NAME" --timeout 1
  done
  like 'the status has the hint' "$(by alice vpnrunctl status one)" 'the server names no resolver: set \[dns\] servers'
  is 'addresses are reached all the same' "$(by alice vpnrun curl -s -m 5 http://203.0.113.10/)" 198.51.100.10
  unlike 'resolv.conf inside names nobody' "$(by alice vpnrun cat /etc/resolv.conf)" '^nameserver'
else
  # --- hostile ---
  VETH=$(ip -n one route show table all 198.51.100.10 | awk '{ print $3 }')
  # hostile OPTION…: pushed; whatever becomes of it, no query of an application leaves outside the tunnel.
  hostile() {
    local address=${1##* }
    pushing "$@"
    within 15 "pushed $*: the tunnel is up all the same" has_pushed
    app_answer
    like "pushed $*: the running application has its answer, or an error" "$SAID" "^$NAME (error|192\\.0\\.2\\.)"
    check "pushed $*: the provider was not asked by the machine" eval "! isp_asked_by_host $NAME"
    for address in "$address" 8.8.8.8; do
      fresh_name
      attempt timeout 5 inside dns_query "$address" "$NAME" --timeout 0.2
      check "nor by a program that asks $address by itself" eval "! isp_asked_by_host $NAME"
    done
    empty 'resolv.conf inside has whole lines only' \
      "$(by alice vpnrun grep -Evx '#.*||nameserver [0-9a-f.:]+|search( [A-Za-z0-9._-]+)+' /etc/resolv.conf)"
  }
  for ADDRESS in 192.168.77.1 127.0.0.1 198.51.100.10 "$VETH" 0.0.0.0 255.255.255.255 224.0.0.251 \
    ::ffff:192.168.77.1 fe80::1 2001:db8:77::1; do
    hostile "dhcp-option DNS $ADDRESS"
  done
  for ADDRESS in 192.168.77.1 127.0.0.1 "$VETH" 2001:db8:77::1; do
    hostile "dns server 0 address $ADDRESS"
  done
  # OpenVPN's server itself sends no line breaks.
  # shellcheck disable=SC2016
  hostile 'dhcp-option DNS $(reboot)' 'dhcp-option DNS "10.8.1.53 nameserver 192.168.77.1"' \
    'dhcp-option DOMAIN "b.example nameserver 192.168.77.1"' 'dhcp-option DOMAIN-SEARCH ../../x' \
    'dhcp-option DOMAIN ";#.example"' 'dhcp-option DNS 192.168.77.1/24' 'dhcp-option DNS 192.168.77.1:53'
  unlike 'nothing of it is in resolv.conf' "$(by alice vpnrun cat /etc/resolv.conf)" '192\.168\.77\.1|reboot|;|x'
fi

pushing 'dhcp-option DNS 10.8.0.1'
within 15 'with an honest resolver again' eval '[ "$(status_dns)" = 10.8.0.1 ] && tunnel_up one'
running_app 'at last'
capture_names_stop 'through all of it'
app_end
tunnel_release one
