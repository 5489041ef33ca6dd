#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a launch, a prepare and a tunnel cost. Prints, never asserts:
#
#   tests/bench/launch.sh BUILD [ROUNDS]        as root, on an idle machine; BUILD should be Release
#
# The floor is two minimal static C programs that do what no launcher can avoid: one executes the
# other, which is setuid, joins the same two namespaces, gives up its privilege and executes `true`.
set -euo pipefail

bench_compile() {
  local here=$SOURCE/tests/bench
  cc -O2 -o "$LAB/bin/spawn_timer" "$here/spawn_timer.c"
  cc -O2 -static -o "$LAB/bin/floor_launcher" "$here/floor_launcher.c"
  cc -O2 -static -DFLOOR_NETNS='"/run/vpnrun/one/netns"' -DFLOOR_VIEW='"/run/vpnrun/one/mnt"' \
    -o "$LAB/bin/floor_helper" "$here/floor_helper.c"
  chmod 4755 "$LAB/bin/floor_helper"
}

# The floor opens the namespaces by name as its caller would not be allowed to; as setuid root it may.
bench_launch() {
  local rounds=$1 median=() lower upper value
  while read -r value lower upper; do
    median+=("$value")
  done < <(by alice spawn_timer "$rounds" /usr/bin/true --- \
    floor_launcher "$LAB/bin/floor_helper" /usr/bin/true --- vpnrun true --- vpnrun -p one -- /usr/bin/true)
  echo "launch, medians of $rounds rounds in microseconds:"
  printf '  %-44s %6d\n' 'true' "${median[0]}" 'the floor: two static programs, then true' "${median[1]}" \
    'vpnrun true' "${median[2]}" 'vpnrun -p one -- /usr/bin/true' "${median[3]}"
  awk -v floor="${median[1]}" -v ours="${median[2]}" 'BEGIN { printf "  vpnrun true / floor: %.2f\n", ours / floor }'
}

bench_prepare() {
  local rounds=$1 median=() value lower upper
  while read -r value lower upper; do
    median+=("$value ($lower … $upper)")
  done < <(spawn_timer "$rounds" "$TUNNEL" prepare one --- "$TUNNEL" release one)
  echo "vpnrun-tunnel, medians (quartiles) of $rounds rounds in microseconds:"
  echo "  prepare  ${median[0]}"
  echo "  release  ${median[1]}"
}

bench_tunnel() {
  local pid=${TUNNEL_PID[one]}
  echo "from the start of vpnrun-tunnel to a working tunnel: $WAITED ms"
  echo "vpnrun-tunnel, up, in KiB:"
  awk '/^(VmRSS|RssAnon|RssFile|RssShmem|VmHWM):/ { printf "  %-8s %6d\n", $1, $2 }' "/proc/$pid/status"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -ge 1 ] || {
    sed -n '3,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
  }
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  exec "$folder/../lab/lab.sh" run "$1" "$folder/launch.sh" "${2:-500}" </dev/null
fi
bench_compile
strip /usr/bin/vpnrun "${TUNNEL%/*}"/vpnrun-helper "$TUNNEL"  # as a package does
profile_one
bench_prepare 100
tunnel_start one
bench_tunnel
bench_launch "$1"
tunnel_release one
