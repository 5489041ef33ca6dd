#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast the kill-switch is, and what the way through namespace and veth costs. Prints, never asserts:
#
#   tests/bench/tunnel.sh BUILD [KILLS]        as root, on an idle machine
#
# Throughput is a ratio: the same download through vpnrun, and through the same OpenVPN client on the
# plain host, in turns.
set -euo pipefail

web_big() {
  printf '#!/bin/sh\nread -r request\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\n"\nexec head -c %s /dev/zero\n' "$1" >"$LAB/bin/big"
  chmod 0755 "$LAB/bin/big"
  background "$LAB/log/big" on web socat TCP4-LISTEN:8000,fork,reuseaddr EXEC:"$LAB/bin/big"
}

# download COMMAND…: bytes a second.
download() { "$@" curl -s -m 60 -o /dev/null -w '%{speed_download}\n' http://203.0.113.10:8000/; }

# The client as its own manual would have it run, with routes of its own.
plain_start() {
  background "$LAB/log/plain" openvpn --config "$PROFILES/one.ovpn" --dev tun9 --disable-dco
  PLAIN=$BACKGROUND
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/plain" || lab_die 'the plain client does not connect'
}
plain_stop() {
  kill "$PLAIN"
  wait "$PLAIN" || :
}

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

bench_throughput() {
  local round
  web_big 200000000
  for round in 1 2 3 4 5 6 7; do
    tunnel_run one
    wait_until 15 tunnel_up one
    download by alice vpnrun >>"$LAB/tmp/speed.vpnrun"
    tunnel_stop one
    plain_start
    download >>"$LAB/tmp/speed.plain"
    plain_stop
  done
  awk -v ours="$(median <"$LAB/tmp/speed.vpnrun")" -v plain="$(median <"$LAB/tmp/speed.plain")" 'BEGIN {
    printf "download, medians of 7, in MB/s: vpnrun %.1f, the same client on the plain host %.1f, ratio %.3f\n",
      ours / 1e6, plain / 1e6, ours / plain }'
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -ge 1 ] || {
    sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
  }
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  exec "$folder/../lab/lab.sh" run "$1" "$folder/tunnel.sh" "${2:-200}" </dev/null
fi
profile_one
tunnel_start one
nsenter --net=/run/vpnrun/one/netns -- "$SOURCE/tests/bench/kill_latency.py" "$1" one
tunnel_stop one
bench_throughput
"$TUNNEL" release one
