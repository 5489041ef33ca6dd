# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=/dev/null
# chaos [FAULTS [SEED]]: seven applications in two tunnels, and FAULTS (200) random faults. After each
# the tunnels are back and the same applications go on, within a bound; and from first to last not one
# packet and not one query leaves outside the tunnels.
#
# SEED given, the sequence of faults is the same as in the run that printed it. CHAOS_KINDS="a b" draws
# from these kinds only (tests/chaos/faults.sh has them). What was captured when something failed is
# kept in $LAB_KEEP, or else in tests/chaos-failures of the build tree.
FAULTS=${1:-200}
SEED=${2:-$((EPOCHSECONDS % 100000))}
# In seconds: for everything to be back; and, if the state says what is wrong, how long that may take.
BOUND=30
BOUND_EXPLAINED=90

for part in world watch faults; do
  source "$SOURCE/tests/chaos/$part.sh"
done

# The whole sequence before the first fault: nothing that happens can change it. RANDOM is used here
# and nowhere else.
PLAN=()
plan() {
  local number kind profile
  local -a kinds=("${FAULT_KINDS[@]}")
  [ -z "${CHAOS_KINDS:-}" ] || read -r -a kinds <<<"$CHAOS_KINDS"
  RANDOM=$SEED
  for ((number = 1; number <= FAULTS; number++)); do
    kind=${kinds[RANDOM % ${#kinds[@]}]}
    profile=$((RANDOM % 3))
    PLAN+=("$kind $([ $profile = 2 ] && echo two || echo one) $((RANDOM % 1000)) $RANDOM")
  done
  [ -n "${CHAOS_KINDS:-}" ] || PLAN[FAULTS - 1]='long_outage one 0 0'
}

# The folder that outlives the lab. The build tree lies under an overlay that goes with the lab; its
# parent, bound without what is mounted below, shows the real one.
keep_folder() {
  local build
  if [ -n "${LAB_KEEP:-}" ]; then
    KEEP=$LAB_KEEP
    KEEP_SHOWN=$KEEP
  else
    build=$(findmnt -n -o TARGET -S lab-build)
    mkdir -p "$LAB/keep"
    mount --bind "$(dirname "$build")" "$LAB/keep"
    KEEP=$LAB/keep/$(basename "$build")/tests/chaos-failures
    KEEP_SHOWN=$build/tests/chaos-failures
  fi
}

# keep NAME: captures, logs and states as they are now.
keep() {
  local folder=$KEEP/seed-$SEED-$1 name
  mkdir -p "$folder"
  cp "$LAB"/tmp/watch-*.pcap "$folder/"
  cp "$LAB"/log/tunnel-* "$LAB"/log/server-* "$LAB"/log/dns-isp "$LAB"/log/app-* "$folder/"
  cp "$LAB/log/race" "$folder/" 2>/dev/null || :
  for name in "${PROFILES_RUN[@]}"; do
    cp "/run/vpnrun/$name/state.json" "$folder/state-$name.json" 2>/dev/null || :
    ip -n "$name" route >"$folder/route-$name" 2>/dev/null || :
  done
  {
    nft list ruleset
    ip address
    ip route
    sysctl net.ipv4.conf 2>/dev/null | grep '\.forwarding'
  } >"$folder/host" 2>&1
  KEPT=$KEEP_SHOWN/seed-$SEED-$1
}

# Before whatever is to have the clock that can be set. /etc and /usr are the lab's own.
CLOCK_FILE=/usr/lib/wall-clock
clock_raise() {
  cc -O2 -shared -fPIC -DCLOCK_FILE="\"$CLOCK_FILE\"" -o /usr/lib/wall_clock.so "$SOURCE/tests/probes/wall_clock.c"
  head -c 8 /dev/zero >"$CLOCK_FILE"
  echo /usr/lib/wall_clock.so >/etc/ld.so.preload
  clock_set 86400
  is 'control: the clock of the lab can be set, and that of the machine stays' \
    "$((($(date +%s) - $(cut -d. -f1 /proc/uptime) - $(awk '/btime/ { print $2 }' /proc/stat) + 43200) / 86400))" 1
  clock_set 0
}

declare -A KIND_COUNT=() KIND_TIMES=() KIND_STRAY=() KIND_QUERIES=() KIND_FAILED=() KIND_EXPLAINED=()

# one_fault NUMBER KIND PROFILE MILLISECONDS PICK
one_fault() {
  local number=$1 kind=$2 profile=$3 verdict=ok explained=no name text leaked=''
  echo "# fault $number: $kind $profile $4 $5"
  FAULT=$number NOTE="" NEW_STATE="" MISSING=""
  if ! "fault_$kind" "$profile" "$4" "$5"; then
    verdict="went wrong: $NOTE"
  elif ! recovered $BOUND; then
    explained=yes
    for name in "${PROFILES_RUN[@]}"; do
      state_explains "$name" || explained=no
    done
    # A tunnel that says that it is up has to carry something.
    [ "$MISSING" = 'a tunnel is not up' ] || explained=no
    if [ $explained = yes ] && recovered $((BOUND_EXPLAINED - BOUND)); then
      RECOVERY=$((RECOVERY + BOUND * 1000))
    else
      verdict="not back within $BOUND s: $MISSING"
    fi
  fi
  neighbours_ask
  nap 0.02
  watch_news
  if [ "$STRAY" -gt 0 ] || [ "$QUERIES" -gt 0 ] || [ -s "$LAB/tmp/wrong" ]; then
    verdict="$verdict; $STRAY stray packets, $QUERIES queries"
    leaked=$(watch_show "$STRAY" "$QUERIES"; cat "$LAB/tmp/wrong" 2>/dev/null || :)
  fi
  for name in "${APPS[@]}"; do
    kill -0 "${APP_PID[$name]}" 2>/dev/null || verdict="$verdict; the application $name has ended"
  done
  KIND_COUNT[$kind]=$((${KIND_COUNT[$kind]:-0} + 1))
  KIND_STRAY[$kind]=$((${KIND_STRAY[$kind]:-0} + STRAY))
  KIND_QUERIES[$kind]=$((${KIND_QUERIES[$kind]:-0} + QUERIES))
  text="fault $number: $kind $profile${NOTE:+ ($NOTE)}"
  if [ "$verdict" = ok ]; then
    KIND_TIMES[$kind]+="$RECOVERY "
    [ $explained = no ] || KIND_EXPLAINED[$kind]=$((${KIND_EXPLAINED[$kind]:-0} + 1))
    pass "$text" "back after $RECOVERY ms (last: ${LAST:-tunnel})$([ $explained = no ] || echo ', explained meanwhile')"
    return
  fi
  KIND_FAILED[$kind]=$((${KIND_FAILED[$kind]:-0} + 1))
  keep "fault-$number-$kind"
  fail "$text, seed $SEED" "$verdict" "kept in $KEPT" ${leaked:+"$leaked"} \
    "$(grep -hE '"(state|error|hint)"' /run/vpnrun/*/state.json 2>&1)" "$(tail -n 6 "$LAB/log/tunnel-$profile")"
  rm -f "$LAB/tmp/wrong"
  mend
}

# After a failure: by force, so that the next fault finds a tunnel.
mend() {
  local name
  for name in "${PROFILES_RUN[@]}"; do
    companion_end "$name" 2>/dev/null
    tunnel_prepare "$name"
    profile_write "$name"
  done
  NEW_STATE=''
  rm -f /run/filler
  world_filter
  uplink_restore
  for name in "${APPS[@]}"; do
    kill -0 "${APP_PID[$name]}" 2>/dev/null || apps_start "$name"
  done
  recovered 60 || lab_die "cannot go on after fault $FAULT ($MISSING)"
  watch_news
  if [ "$STRAY" -gt 0 ] || [ "$QUERIES" -gt 0 ]; then
    fail "restart by force after fault $FAULT" "$STRAY stray packets, $QUERIES queries" "$(watch_show "$STRAY" "$QUERIES")"
  fi
}

# times_of TIMES: median and worst
times_of() {
  # shellcheck disable=SC2086  # a list of numbers
  printf '%s\n' $1 | sort -n | awk 'NF { t[++n] = $1 } END { if (n) print t[int((n + 1) / 2)], t[n]; else print "-", "-" }'
}

summary() {
  local kind name median worst total
  printf '# %-18s %6s %10s %10s %10s %7s %6s %7s\n' fault count 'median ms' 'worst ms' explained failed stray queries
  for kind in $(printf '%s\n' "${!KIND_COUNT[@]}" | sort); do
    read -r median worst < <(times_of "${KIND_TIMES[$kind]:-}")
    printf '# %-18s %6s %10s %10s %10s %7s %6s %7s\n' "$kind" "${KIND_COUNT[$kind]}" "$median" "$worst" \
      "${KIND_EXPLAINED[$kind]:-0}" "${KIND_FAILED[$kind]:-0}" "${KIND_STRAY[$kind]}" "${KIND_QUERIES[$kind]}"
  done
  printf '# %-18s %10s\n' application successes
  for name in "${APPS[@]}"; do
    app_count "$name"
    total=$((${APP_BEFORE[$name]} + COUNT))
    printf '# %-18s %10s\n' "$name" $total
  done
}

echo "# seed $SEED, $FAULTS faults; again: tests/system/run BUILD chaos $FAULTS $SEED"
plan
keep_folder
cp "$SOURCE"/tests/probes/{chaos_app,chaos_web,chaos_noise,cut_management}.py "$LAB/bin/"
clock_raise
# Small enough to be filled.
mount -o remount,size=4m /run
# The namespaces copy it: who may ping.
sysctl -qw net.ipv4.ping_group_range='0 2147483647'
world_uplinks
world_servers
server_place 0
ovpn_one "$PROFILES/one.ovpn" client 'vpn.example 1194'
profile one
profile_two
watch_start
watch_control up0
watch_forwarding
uplink_raise up1
uplink_routes up1
watch_control up1
uplink_routes up0
uplink_drop up1

tunnel_start one
tunnel_start two
APPS=(http download udp dns ipv6 ping two-http)
apps_start "${APPS[@]}"
NEW_STATE="" FAULT=0
if recovered 15; then
  pass 'the applications are online' "after $RECOVERY ms"
else
  keep start
  lab_die "the applications did not come online ($MISSING), see $KEPT"
fi

STARTED=$(now_ms)
for line in "${PLAN[@]}"; do
  # shellcheck disable=SC2086  # four words
  set -- $line
  one_fault $((${FAULT:-0} + 1)) "$@"
done
echo "# $FAULTS faults in $((($(now_ms) - STARTED) / 1000)) s"

for UPLINK in up0 up1; do
  uplink_restore
  watch_control $UPLINK
done
# Between a flush of the host's rules and their return the client's own packets cannot be masked.
UNMASKED_MAX=$((${KIND_COUNT[firewall_flush]:-0} * 20))
UNMASKED_SEEN=$(watch_count unmasked)
is "no more than $UNMASKED_MAX packets of a tunnel left with the address of its namespace ($UNMASKED_SEEN)" \
  "$((UNMASKED_SEEN <= UNMASKED_MAX))" 1
empty 'no companion ended that nobody killed' "$(printf '%s\n' "${UNEXPECTED[@]}")"
summary
