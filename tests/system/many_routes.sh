# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Servers that push more than anybody needs: thousands of routes, of which the profile takes none, and
# more options than are read. Such a server is usable, and costs no more than it has to.

# routes COUNT: the options that push so many, one word a line.
routes() {
  local number
  for ((number = 0; number < $1; number++)); do
    printf '%s\n' --push "route 10.$((100 + number / 250)).$((number % 250)).0 255.255.255.0"
  done
}
routes6() {
  local number
  for ((number = 0; number < $1; number++)); do
    printf '%s\n' --push "route-ipv6 fd00:$(printf %x $((4096 + number)))::/64"
  done
}
options() {
  local number
  for ((number = 0; number < $1; number++)); do
    printf '%s\n' --push "dhcp-option NTP 10.6.0.$((number % 250 + 1))"
  done
}
# Hundredths of a second of processor time of the companion itself.
ticks() { awk '{ print $14 + $15 }' "/proc/${TUNNEL_PID[one]}/stat"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/${TUNNEL_PID[one]}/status"; }

PORT=2000
# pushes WHAT OPTION…: the tunnel comes up by a server that pushes these, and carries an application.
pushes() {
  local what=$1
  shift
  PORT=$((PORT + 1))
  local net=10.$((PORT - 1980)).0
  # What hides the provider's clients has to know these.
  on vpn nft add rule inet lab hide oifname v0 ip saddr "$net.0/24" snat ip to 198.51.100.10
  vpn_server "server-$PORT" "tun-$PORT" server --proto udp --port "$PORT" --server "$net.0" 255.255.255.0 \
    --push "dhcp-option DNS $net.1" "$@"
  wait_until 20 grep -q 'Initialization Sequence Completed' "$LAB/log/server-$PORT" ||
    lab_die "the server did not start: $(tail -n 2 "$LAB/log/server-$PORT")"
  ovpn_one "$PROFILES/one.ovpn" client "198.51.100.10 $PORT"
  profile one
  tunnel_prepare one
  tunnel_run one
  if wait_until 40 tunnel_up one; then
    pass "$what: the tunnel comes up" "after $WAITED ms, $(ticks) ticks, $(rss) KiB"
  else
    fail "$what: the tunnel comes up" "$(grep -o '"error": .*' /run/vpnrun/one/state.json)"
  fi
  TICKS=$(ticks)
  attempt by alice vpnrun --no-start curl -s -m 5 http://203.0.113.10/
  is "$what: an application gets through" "$OUT" 198.51.100.10
  is "$what: none of the routes is taken" "$(ip -n one -4 route show default | wc -l)-$(ip -n one route | grep -c '^10\.1')" 1-0
  tunnel_release one
}

pushes 'no route'
NONE=$TICKS
mapfile -t MANY < <(routes 330)
pushes '330 routes' "${MANY[@]}"
mapfile -t MANY < <(routes 2000)
pushes '2000 routes' "${MANY[@]}"
is 'they cost the companion less than a second of processor time' "$((TICKS - NONE < 100))" 1
mapfile -t MANY < <(routes6 1000)
pushes '1000 IPv6 routes' --server-ipv6 fd00:6::/64 "${MANY[@]}"
mapfile -t MANY < <(options 200)
pushes '200 options' "${MANY[@]}"
