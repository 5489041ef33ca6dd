# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Many profiles at once, for tests/bench/many.sh and tests/system/many.sh: NAMES has their names in the order in
# which they come up, none-1 … and vpn-1 …, the latter at the server "one", which has room for 250.

NAMES=()

# many_profiles NONE VPN
many_profiles() {
  local number
  for ((number = 1; number <= $1; number++)); do
    printf '%s\n' '[tunnel]' 'type = "none"' '[access]' 'users = ["alice"]' >"$PROFILES/none-$number.toml"
    NAMES+=("none-$number")
  done
  [ "$2" = 0 ] || ovpn_one "$PROFILES/many.ovpn"
  for ((number = 1; number <= $2; number++)); do
    printf '%s\n' '[tunnel]' 'type = "openvpn"' 'config = "many.ovpn"' '[access]' 'users = ["alice"]' \
      >"$PROFILES/vpn-$number.toml"
    NAMES+=("vpn-$number")
  done
}

state_is_up() { grep -q '"state": *"up"' "/run/vpnrun/$1/state.json"; }

# many_up NAME…: prepared, run and up, one after the other.
many_up() {
  local name
  for name; do
    tunnel_prepare "$name"
    tunnel_run "$name"
    wait_until 20 state_is_up "$name" || {
      tail -n 20 "$LAB/log/tunnel-$name" >&2
      lab_die "'$name' did not come up"
    }
  done
}

# many_down NAME…: ended together, then released one after the other.
many_down() {
  local name
  for name; do
    kill -TERM "${TUNNEL_PID[$name]}"
  done
  for name; do
    wait_until 20 gone "${TUNNEL_PID[$name]}" || lab_die "vpnrun-tunnel of '$name' does not end on SIGTERM"
    unset "TUNNEL_PID[$name]"
    "$TUNNEL" release "$name"
  done
}

# many_probe: compiles what the applications are: `inside FIFO WORD` says WORD, its network namespace and its
# address in the tunnel, or "-", sends a packet for TEST-NET-3 whose port is 20000 and the number in WORD, and
# stays until somebody writes to FIFO.
many_probe() { cc -O2 -static -o "$LAB/bin/inside" "$SOURCE/tests/probes/inside.c"; }

# many_inside COUNT: as many applications as that side by side, in all profiles in turn; what they say is in
# $LAB/home/inside. False if not all of them got there. They stay until many_leave.
many_inside() {
  local count=$1
  rm -f "$LAB/home/stay"
  mkfifo -m 0666 "$LAB/home/stay"
  : >"$LAB/home/inside"
  chmod 0666 "$LAB/home/inside"
  # shellcheck disable=SC2016 # alice's shell does it
  background "$LAB/log/many-inside" by alice bash -c '
    fifo=$1 out=$2 count=$3
    shift 3
    for ((number = 0; number < count; number++)); do
      at=$((number % $# + 1))
      name=${!at}
      vpnrun -p "$name" inside "$fifo" "$name" >>"$out" &
    done
    wait' - "$LAB/home/stay" "$LAB/home/inside" "$count" "${NAMES[@]}"
  MANY_PID=$BACKGROUND
  wait_until $((20 + count / 5)) many_are_there "$count"
}
many_are_there() { [ "$(wc -l <"$LAB/home/inside")" = "$1" ]; }
many_leave() {
  echo >"$LAB/home/stay"
  wait_until 30 gone "$MANY_PID" || lab_die 'the applications do not end'
  wait "$MANY_PID"
}

# many_expected: what each profile's applications have to say, from the outside.
many_expected() {
  local name address
  for name in "${NAMES[@]}"; do
    address=$(sed -n '/"addresses"/,/\]/s/^ *"\([0-9.]*\)\/.*/\1/p' "/run/vpnrun/$name/state.json")
    echo "$name $(stat -L -c %i "/run/vpnrun/$name/netns") ${address:--}"
  done
}

# many_mixed: what an application said that its profile's should not.
many_mixed() { sort -u "$LAB/home/inside" | comm -23 - <(many_expected | sort); }

# many_left: what could be left behind by launches, a number each.
many_left() {
  local pid name descriptors=0
  for name in "${NAMES[@]}"; do
    pid=${TUNNEL_PID[$name]:-}
    [ -n "$pid" ] || continue
    descriptors=$((descriptors + $(ls "/proc/$pid/fd" | wc -l)))
  done
  echo "processes $(ps -e -o comm= | grep -cvxE 'ps|grep|bash|sleep|diff|ls|find|wc')"
  echo "mounts $(wc -l </proc/self/mountinfo)"
  echo "namespaces $( (readlink /proc/[0-9]*/ns/{net,mnt,pid} 2>/dev/null || :) | sort -u | wc -l)"
  echo "files $(find /run | wc -l)"
  echo "descriptors $descriptors"
}
