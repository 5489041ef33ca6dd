#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast the kill-switch is, and what the way through namespace and veth costs. Prints, never asserts:
#
#   tests/bench/tunnel.sh BUILD [KILLS]        as root, on an idle machine
#
# Throughput is a ratio: the same download through vpnrun, and through the same OpenVPN client on the
# plain host, in turns; once with the processors as the limit, and once with the line.
set -euo pipefail

web_big() {
  printf '#!/bin/sh\nread -r request\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\n"\nexec head -c %s /dev/zero\n' "$1" >"$LAB/bin/big"
  chmod 0755 "$LAB/bin/big"
  background "$LAB/log/big" on web socat TCP4-LISTEN:8000,fork,reuseaddr EXEC:"$LAB/bin/big"
}

# download COMMAND…: bytes a second.
download() { "$@" curl -s -m 60 -o /dev/null -w '%{speed_download}\n' http://203.0.113.10:8000/; }

# The client as its own manual would have it run, on the plain host. Only the download takes its way,
# so that the two tunnels stand side by side and every round meets the same machine.
plain_start() {
  background "$LAB/log/plain" openvpn --config "$PROFILES/one.ovpn" --dev tun9 --disable-dco \
    --route-nopull --route 203.0.113.10
  PLAIN=$BACKGROUND
  wait_until 10 grep -q 'Initialization Sequence Completed' "$LAB/log/plain" || lab_die 'the plain client does not connect'
}
plain_stop() {
  kill "$PLAIN"
  wait "$PLAIN" || :
}

# compare WHAT ROUNDS: medians, and the median of the rounds' ratios.
compare() {
  for _ in $(seq "$2"); do
    echo "$(download by alice vpnrun) $(download)"
  done | python3 -c '
import statistics, sys
rounds = [tuple(map(float, line.split())) for line in sys.stdin]
ours, plain = (statistics.median(side) / 1e6 for side in zip(*rounds))
ratio = statistics.median(a / b for a, b in rounds)
print(f"download {sys.argv[1]}, medians of {len(rounds)} in MB/s: vpnrun {ours:.1f}, "
      f"the same client on the plain host {plain:.1f}, ratio {ratio:.3f}")' "$1"
}

bench_throughput() {
  tunnel_run one
  wait_until 15 tunnel_up one
  plain_start
  web_big 60000000
  compare 'as fast as two cores carry everything, server and routers included' 25
  # The line of a good connection: what the way costs does not show while the processor has time.
  on router tc qdisc add dev r-host root tbf rate 200mbit burst 64k latency 30ms
  compare 'on a line of 200 Mbit/s' 5
  plain_stop
  tunnel_stop one
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
