# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What is watched all the time: packets at the provider's end of both uplinks, the provider's query
# log, the companions (restarted when they die, as a unit's Restart= would), the applications. The
# polling starts no process: it would take most of the time.

PROFILES_RUN=(one two)
declare -A APP_PID=() APP_PROFILE=() APP_BEFORE=() APP_BASE=() MAY_DIE=()
APPS=()
UNEXPECTED=()
STRAY_SEEN=0
QUERIES_SEEN=0
STATE_STAMP=$LAB/tmp/state-stamp

exec {NAP_FD}<> <(:)
nap() { read -r -t "$1" -u "$NAP_FD" || :; }

# --- packets ---

WATCH_DEVICES=(r-host r-alt)
# The tunnels' own packets. The machine itself sends no more than the neighbours' protocols, lookups
# of the server's name, and the kernel's refusals of answers that came too late.
TUNNEL_PACKETS='(udp dst port 1194 and (dst host 198.51.100.10 or dst host 198.51.100.30)) or (tcp dst port 443 and dst host 198.51.100.20)'
MACHINE='(src host 192.168.77.2 or src host 192.168.78.2)'
OWN_PACKETS="(udp dst port 53 and dst host 192.168.77.1) or (icmp[icmptype] == icmp-unreach and (dst host 192.168.77.1 or dst net 198.51.100.0/24))"
PERMITTED="($TUNNEL_PACKETS) or ($MACHINE and ($OWN_PACKETS)) or ($CAPTURE_QUIET)"
# A tunnel's packet that left with the namespace's address: no leak, but nobody can answer it.
UNMASKED="($TUNNEL_PACKETS) and not $MACHINE"

# watch_file DEVICE KIND: where the packets are; KIND is all, stray or unmasked.
watch_file() { echo "$LAB/tmp/watch-$1-$2.pcap"; }

watch_start() {
  local device kind file
  for device in "${WATCH_DEVICES[@]}"; do
    for kind in all stray unmasked; do
      file=$(watch_file "$device" "$kind")
      case $kind in
        all) set -- -s 160 ;;
        stray) set -- "not ($PERMITTED)" ;;
        unmasked) set -- "$UNMASKED" ;;
      esac
      start_in router "$file.log" tcpdump --immediate-mode -Z root -U -n -i "$device" -Q in -w "$file" "$@"
      wait_until 5 grep -q 'listening on' "$file.log" || lab_die "the capture on $device did not start"
    done
  done
}

# watch_count KIND: how many packets.
watch_count() {
  local device count=0
  for device in "${WATCH_DEVICES[@]}"; do
    count=$((count + $(tcpdump -n -r "$(watch_file "$device" "$1")" 2>/dev/null | wc -l)))
  done
  echo "$count"
}

# The applications' names at the provider's resolver.
watch_queries() { grep -c 'query\[.*\] [^ ]*who\.example ' "$LAB/log/dns-isp" || :; }

# watch_news: sets STRAY and QUERIES to what was seen since the last call.
watch_news() {
  local sizes all
  sizes=$(stat -c %s "$LAB"/tmp/watch-*-stray.pcap)
  STRAY=0
  if [ "$sizes" != "${WATCH_SIZES:-}" ]; then
    WATCH_SIZES=$sizes
    all=$(watch_count stray)
    STRAY=$((all - STRAY_SEEN))
    STRAY_SEEN=$all
  fi
  all=$(watch_queries)
  QUERIES=$((all - QUERIES_SEEN))
  QUERIES_SEEN=$all
}

# watch_show PACKETS QUERIES: the last ones, for the report.
watch_show() {
  local device
  for device in "${WATCH_DEVICES[@]}"; do
    tcpdump -tttt -n -r "$(watch_file "$device" stray)" 2>/dev/null | sed "s/\$/ ($device)/"
  done | sort | tail -n "$(($1 < 10 ? $1 : 10))"
  grep 'query\[.*\] [^ ]*who\.example ' "$LAB/log/dns-isp" | tail -n "$(($2 < 10 ? $2 : 10))" || :
}

# watch_control DEVICE: an application's packet and query past every tunnel, on purpose. Both must be
# seen; then they are discounted.
watch_control() {
  local packets queries
  packets=$(watch_count stray)
  queries=$(watch_queries)
  echo leak | by alice socat -u - "UDP4:203.0.113.10:47001,so-bindtodevice=$1" 2>/dev/null || :
  by alice getent ahostsv4 "app-control-$1.chaos.who.example" >/dev/null
  within 5 "over $1 a leaked packet of an application is seen" eval "[ \$(watch_count stray) -gt $packets ]"
  within 5 'and a leaked query' eval "[ \$(watch_queries) -gt $queries ]"
  watch_news
}

# watch_forwarding: the same for a machine that forwards.
watch_forwarding() {
  local packets
  packets=$(watch_count stray)
  sysctl -qw net.ipv4.ip_forward=1
  neighbours_ask
  within 5 'a packet that the machine forwards for a neighbour is seen' eval "[ \$(watch_count stray) -gt $packets ]"
  sysctl -qw net.ipv4.ip_forward=0
  watch_news
}

# --- companions ---

# supervise: those that died are started again.
supervise() {
  local name
  for name in "${PROFILES_RUN[@]}"; do
    if ! kill -0 "${TUNNEL_PID[$name]}" 2>/dev/null; then
      wait "${TUNNEL_PID[$name]}" 2>/dev/null || :
      if [ -z "${MAY_DIE[$name]:-}" ]; then
        UNEXPECTED+=("fault ${FAULT:-0}: the companion of '$name' ended by itself: $(grep -E 'vpnrun-tunnel|error|hint' "$LAB/log/tunnel-$name" | tail -n 2 | tr '\n' ' ')")
      fi
      MAY_DIE[$name]=
      tunnel_run "$name"
    fi
  done
}

# hold MILLISECONDS: the fault lasts; whoever dies meanwhile is started again.
hold() {
  local until
  until=$(($(now_ms_here) + $1))
  while :; do
    now_set
    [ "$NOW" -lt "$until" ] || break
    supervise
    nap 0.02
  done
}

now_set() { NOW=$((${EPOCHREALTIME/./} / 1000)); }
now_ms_here() { echo $((${EPOCHREALTIME/./} / 1000)); }

# state_is_up NAME: by its file, written by the companion that runs now.
state_is_up() {
  local text=
  { IFS= read -r -d '' text <"/run/vpnrun/$1/state.json"; } 2>/dev/null || :
  [[ $text == *'"state": "up"'* && $text == *"\"pid\": ${TUNNEL_PID[$1]},"* ]]
}

# state_explains NAME: it is up, or says why not and what to do.
state_explains() {
  local text=
  { IFS= read -r -d '' text <"/run/vpnrun/$1/state.json"; } 2>/dev/null || :
  [[ $text == *'"state": "up"'* ]] || [[ $text =~ \"error\":\ \"[^\"]+ && $text =~ \"hint\":\ \"[^\"]+ ]]
}

# --- applications ---

# app_start NAME PROFILE KIND [ADDRESS]
app_start() {
  local name=$1
  APP_PROFILE[$name]=$2
  app_count "$name"
  APP_BEFORE[$name]=$((${APP_BEFORE[$name]:-0} + COUNT))
  rm -f "$LAB/tmp/app-$name"
  # shellcheck disable=SC2086  # kind and address
  set -- $3 "$LAB/tmp/app-$name" "$LAB/tmp/wrong" ${4:-}
  background "$LAB/log/app-$name" by alice env 'RES_OPTIONS=timeout:1 attempts:1' \
    vpnrun -p "${APP_PROFILE[$name]}" -- python3 "$LAB/bin/chaos_app.py" "$@"
  APP_PID[$name]=$BACKGROUND
}

apps_start() {
  local wanted=("$@") name
  for name in "${wanted[@]}"; do
    case $name in
      two-*) app_start "$name" two "${name#two-}" 198.51.100.20 ;;
      ipv6) app_start "$name" one ipv6 2001:db8:51::10 ;;
      *) app_start "$name" one "$name" 198.51.100.10 ;;
    esac
  done
}

# apps_of PROFILE
apps_of() {
  local name
  for name in "${APPS[@]}"; do
    [ "${APP_PROFILE[$name]}" != "$1" ] || echo "$name"
  done
}

# apps_end PROFILE: their namespace is about to go.
apps_end() {
  local name
  for name in $(apps_of "$1"); do
    kill_hard "${APP_PID[$name]}"
  done
}

# app_count NAME: sets COUNT
app_count() {
  local stamp='' count=''
  { read -r stamp count <"$LAB/tmp/app-$1"; } 2>/dev/null || :
  COUNT=$((10#${count:-0}))
}

# apps_advanced: every application has had two successes since its base was taken; those that have not
# are in LAGGING. Two: the second was asked for after the base.
apps_advanced() {
  local name
  LAGGING=()
  for name in "${APPS[@]}"; do
    app_count "$name"
    [ "$COUNT" -ge $((APP_BASE[$name] + 2)) ] || LAGGING+=("$name")
  done
  [ ${#LAGGING[@]} -eq 0 ]
}

apps_take_base() {
  local name
  for name in "${APPS[@]}"; do
    app_count "$name"
    APP_BASE[$name]=$COUNT
  done
}

# --- recovery ---

guards_stand() {
  local tables name
  tables=$(nft list map inet vpnrun_links from 2>/dev/null || :)
  for name in "${PROFILES_RUN[@]}"; do
    [[ $tables == *" goto from-$name"[[:space:],]* ]] || return 1
  done
}

# tunnels_up: as their files say; after a death (NEW_STATE) by files newer than it.
tunnels_up() {
  local name
  for name in "${PROFILES_RUN[@]}"; do
    state_is_up "$name" || return 1
    if [[ " $NEW_STATE " == *" $name "* ]]; then
      [ "/run/vpnrun/$name/state.json" -nt "$STATE_STAMP" ] || return 1
    fi
  done
}

# recovered SECONDS: waits until tunnels, guards and applications are back; sets RECOVERY to the
# milliseconds that it took, and MISSING to what is not back.
recovered() {
  local healed limit based=no
  LAST=""
  now_set
  healed=$NOW
  limit=$((healed + $1 * 1000))
  while :; do
    supervise
    now_set
    RECOVERY=$((NOW - healed))
    if tunnels_up; then
      if [ $based = no ]; then
        apps_take_base
        based=yes
      elif apps_advanced; then
        guards_stand && return 0
        MISSING='the filter of the host'
      else
        MISSING="applications: ${LAGGING[*]}"
        LAST=${LAGGING[*]}
      fi
    else
      MISSING='a tunnel is not up'
      based=no
    fi
    [ "$NOW" -lt "$limit" ] || return 1
    nap 0.02
  done
}
