#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What many profiles at once cost: N of type none, and N tunnels to one server. Prints, and fails only if something
# mixes or stays behind:
#
#   tests/bench/many.sh BUILD [N [VPN [BESIDE [ROW]]]]      as root; 200, N, 1000 and 10000 without; N = 0: none
#
# Bring-up one after the other, by tenths; launch; memory; what a host change costs; release by tenths. What
# tests/system/many.sh checks with a dozen is checked first, with all of them. VPN is at most 250.
set -euo pipefail

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -ge 1 ] || {
    sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
  }
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  exec "$folder/../lab/lab.sh" run "$1" "$folder/many.sh" "${@:2}" </dev/null
fi
# shellcheck source=tests/lab/many.sh
source "$SOURCE/tests/lab/many.sh"
NONE=${1:-200} VPN=${2:-${1:-200}} BESIDE=${3:-1000} ROW=${4:-10000}
WRONG=0
cc -O2 -o "$LAB/bin/spawn_timer" "$SOURCE/tests/bench/spawn_timer.c"
many_probe
strip /usr/bin/vpnrun "${TUNNEL%/*}"/vpnrun-helper "$TUNNEL"  # as a package does

# wrong WHAT SEEN: if anything was seen
wrong() {
  [ -z "$2" ] || {
    WRONG=1
    printf 'WRONG: %s\n%s\n' "$1" "$(head -n 20 <<<"$2")"
  }
}

# used: processor time of all companions, in microseconds.
used() {
  local name sum=0 own
  for name in "${!TUNNEL_PID[@]}"; do
    read -r own _ <"/proc/${TUNNEL_PID[$name]}/schedstat"
    sum=$((sum + own / 1000))
  done
  echo "$sum"
}

# by_tenths WHAT COMMAND NAME…: COMMAND for each NAME, printed by tenths: the time of one, in ms.
by_tenths() {
  local what=$1 command=$2 name begin end number=0 size=$((($# - 2 + 9) / 10))
  shift 2
  printf '%-24s' "$what"
  begin=$(now_ms)
  for name; do
    "$command" "$name"
    number=$((number + 1))
    if [ $((number % size)) = 0 ] || [ "$number" = $# ]; then
      end=$(now_ms)
      printf ' %6d.%d' $(((end - begin) / size)) $(((end - begin) * 10 / size % 10))
      begin=$(now_ms)
    fi
  done
  echo ' ms'
}
one_prepared() { "$TUNNEL" prepare "$1"; }
one_run() {
  tunnel_run "$1"
  wait_until 60 state_is_up "$1" || {
    tail -n 20 "$LAB/log/tunnel-$1" >&2
    lab_die "'$1' did not come up"
  }
}
one_ended() {
  kill -TERM "${TUNNEL_PID[$1]}"
  wait "${TUNNEL_PID[$1]}" || :
  unset "TUNNEL_PID[$1]"
}
one_released() { "$TUNNEL" release "$1"; }

# launch WHAT: medians of a launch in the first profile and of `true`, interleaved.
launch() {
  local median=() value rest
  while read -r value rest; do
    median+=("$value")
  done < <(by alice spawn_timer 300 /usr/bin/true --- vpnrun -p "${NAMES[0]}" true)
  LAUNCH=$(awk -v true="${median[0]}" -v ours="${median[1]}" 'BEGIN { printf "%.3f", ours / true }')
  printf '%-24s %d us; true %d us; ratio %s\n' "launch, $1" "${median[1]}" "${median[0]}" "$LAUNCH"
}

# memory: of the companions that run.
memory() {
  local name files=()
  for name in "${!TUNNEL_PID[@]}"; do
    files+=("/proc/${TUNNEL_PID[$name]}/smaps_rollup")
  done
  awk -v count="${#files[@]}" '/^Pss:/ { pss += $2 } /^Private_/ { own += $2 }
    END { printf "%-24s Pss %d KiB, private %d KiB each\n", "memory, " count " companions", pss / count, own / count }' \
    "${files[@]}"
}

# change WHAT COMMAND…: what it costs all companions together until they are quiet.
change() {
  local what=$1 before last now
  shift
  before=$(used)
  "$@"
  last=$before
  sleep 2
  while now=$(used) && [ $((now - last)) -gt 1000 ]; do
    last=$now
    sleep 1
  done
  printf '%-24s %d us of all %d companions\n' "$what" $((now - before)) ${#TUNNEL_PID[@]}
}
a_link() {
  ip link add strange-0 type veth peer name strange-1
  ip link delete strange-0
}
ten_routes() {
  local number
  for number in 1 2 3 4 5; do
    ip route add "192.0.2.$number" via 192.168.77.1
    ip route delete "192.0.2.$number"
  done
}
one_mount() {
  mkdir -p "$LAB/mounted"
  mount -t tmpfs many "$LAB/mounted"
  umount "$LAB/mounted"
}
replaced_resolv_conf() {
  echo 'nameserver 192.168.77.1' >/etc/.resolv.conf.new
  mv /etc/.resolv.conf.new /etc/resolv.conf
}

# bring_up NAME…: with launch and memory with 1, 20 and all of them.
bring_up() {
  local first=$1 some=("${@:2:19}") rest=("${@:21}") before begin
  one_prepared "$first"
  one_run "$first"
  launch 'with 1 up'
  before=$LAUNCH
  memory
  by_tenths 'prepare' one_prepared "${@:2}"
  begin=$(used)
  by_tenths 'companion up, 2 to 20' one_run "${some[@]}"
  memory
  [ ${#rest[@]} = 0 ] || by_tenths 'companion up, 21 on' one_run "${rest[@]}"
  sleep 2
  printf '%-24s %d ms of all %d companions\n' 'processor time' $((($(used) - begin) / 1000)) ${#TUNNEL_PID[@]}
  memory
  launch "with ${#TUNNEL_PID[@]} up"
  awk -v before="$before" -v after="$LAUNCH" \
    'BEGIN { printf "%-24s %.3f\n", "launch, many / one", after / before }'
}

# crowd: launches side by side, then in a row.
crowd() {
  local left name begin
  left=$(many_left)
  many_expected >"$LAB/tmp/expected"
  capture_start
  begin=$(now_ms)
  many_inside "$BESIDE" || wrong 'not all applications got there' "$(tail -n 5 "$LAB/log/many-inside"; wc -l "$LAB/home/inside")"
  printf '%-24s %d ms\n' "$BESIDE side by side" $(($(now_ms) - begin))
  wrong 'an application is somewhere else' "$(many_mixed)"
  many_leave
  begin=$(now_ms)
  for name in "${NAMES[@]}"; do
    by alice spawn_timer $(((ROW + ${#NAMES[@]} - 1) / ${#NAMES[@]})) vpnrun -p "$name" true >/dev/null
  done
  printf '%-24s %d ms\n' "$ROW in a row" $(($(now_ms) - begin))
  capture_stop
  wrong 'this left the machine' "$(capture_stray "$CAPTURE_ONE")"
  wait_until 10 eval '[ "$(many_left)" = "$left" ]' || :
  wrong 'launches left something behind' "$(diff <(echo "$left") <(many_left))"
}

# round TYPE NONE VPN
round() {
  local before after
  echo "--- $(($2 + $3)) profiles of type $1"
  NAMES=()
  many_profiles "$2" "$3"
  before=$(many_left)
  bring_up "${NAMES[@]}"
  change 'a link and its end' a_link
  change 'ten route changes' ten_routes
  change 'a mount and its end' one_mount
  change 'resolv.conf replaced' replaced_resolv_conf
  crowd
  by_tenths 'companion ended' one_ended "${NAMES[@]}"
  by_tenths 'release' one_released "${NAMES[@]}"
  wait_until 10 eval '[ "$(many_left)" = "$before" ]' || :
  wrong 'something is left after release' "$(diff <(echo "$before") <(many_left))"
  rm -f "$PROFILES"/{none,vpn}-*.toml
}

[ "$NONE" = 0 ] || round none "$NONE" 0
[ "$VPN" = 0 ] || round openvpn 0 "$VPN"
exit "$WRONG"
