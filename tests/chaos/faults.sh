# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The faults. Each is called as fault_NAME PROFILE MILLISECONDS PICK, breaks something for about that
# long, and heals what is not vpnrun's to heal. It says in NOTE what it did, in MAY_DIE whose companion
# may end by it, and in NEW_STATE whose state must be written again before it counts as recovered.

# What is drawn from. Twice: cheap, and at the heart of the matter.
FAULT_KINDS=(client_kill client_kill client_freeze client_signal companion_kill companion_kill companion_freeze
  both_kill out_of_memory server_restart server_move server_silent server_noise uplink_down uplink_replace
  link_broken route_change route_change firewall_flush firewall_drop firewall_drop forwarding_reset
  resolv_conf resolv_conf run_full run_full profile_edit tunnel_restart down_up down_up race_prepare
  race_release management_cut clock_jump)

# expect_new_state PROFILE…
expect_new_state() {
  : >"$STATE_STAMP"
  NEW_STATE=$*
}

# client_of PROFILE: its client, waited for: the fault before this one may have left none yet.
client_of() {
  local pid=
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pid=$(client_pid "$1")
    [ -z "$pid" ] || break
    nap 0.05
  done
  echo "$pid"
}

companion_end() {
  MAY_DIE[$1]=yes
  kill_hard "${TUNNEL_PID[$1]}"
}

fault_client_kill() {
  expect_new_state "$1"
  kill -9 "$(client_of "$1")"
}

fault_client_freeze() {
  local pid
  pid=$(client_of "$1")
  kill -STOP "$pid"
  NOTE="for $(($2 * 3)) ms"
  hold $(($2 * 3))
  kill -CONT "$pid" 2>/dev/null || NOTE+=', killed by its companion meanwhile'
}

fault_client_signal() {
  local signals=(TERM INT HUP USR1)
  local signal=${signals[$3 % 4]}
  NOTE="SIG$signal"
  expect_new_state "$1"
  kill "-$signal" "$(client_of "$1")"
}

# Neither the client nor its companion ends or closes it.
fault_management_cut() {
  expect_new_state "$1"
  # A client that the fault before this one made may not have connected yet.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    ! python3 "$LAB/bin/cut_management.py" "$(client_of "$1")" 2>/dev/null || return 0
    nap 0.1
  done
  NOTE='nothing to cut'
  return 1
}

# Every process of the lab has its clock from tests/probes/wall_clock.c. By less than the certificates
# are valid for.
clock_set() {
  python3 -c 'import struct, sys; open(sys.argv[1], "r+b").write(struct.pack("=q", int(sys.argv[2])))' \
    "$CLOCK_FILE" "$1"
}
fault_clock_jump() {
  local jumps=(72000 -72000 3600 -3600 30 -30)
  NOTE="by ${jumps[$3 % 6]} s and back after $(($2 * 4)) ms"
  clock_set "${jumps[$3 % 6]}"
  hold $(($2 * 4))
  clock_set 0
}

fault_companion_kill() {
  expect_new_state "$1"
  companion_end "$1"
  [ $(($3 % 2)) = 0 ] || nap 0.$(($2 / 100))
}

fault_companion_freeze() {
  local pid=${TUNNEL_PID[$1]}
  kill -STOP "$pid"
  if [ $(($3 % 2)) = 1 ]; then
    NOTE='and its client killed'
    expect_new_state "$1"
    kill -9 "$(client_of "$1")"
  fi
  hold "$2"
  kill -CONT "$pid"
}

fault_both_kill() {
  local client
  client=$(client_of "$1")
  expect_new_state "$1"
  MAY_DIE[$1]=yes
  kill_hard "$client" "${TUNNEL_PID[$1]}"
}

# All that belongs to both tunnels, at once.
fault_out_of_memory() {
  local victims name
  victims="$(client_of one) $(client_of two)"
  expect_new_state one two
  for name in "${PROFILES_RUN[@]}"; do
    # shellcheck disable=SC2004  # an associative array
    MAY_DIE[$name]=yes
    victims+=" ${TUNNEL_PID[$name]} $(pgrep -P "${TUNNEL_PID[$name]}" | tr '\n' ' ')"
  done
  # shellcheck disable=SC2086  # several pids
  kill_hard $victims 2>/dev/null
  hold $(($2 / 2))
}

fault_server_restart() {
  local signals=(KILL TERM)
  NOTE="SIG${signals[$3 % 2]}, away for $2 ms"
  server_end "$1" "${signals[$3 % 2]}"
  hold "$2"
  server_start "$1"
}

fault_server_move() {
  NOTE="to ${PLACES[1 - PLACE]}"
  server_place $((1 - PLACE))
}

fault_server_silent() {
  NOTE="for $(($2 * 5)) ms"
  world_filter "$1"
  hold $(($2 * 5))
  world_filter
}

fault_server_noise() {
  local place=${PLACES[PLACE]} transport=udp port=1194 noise
  if [ "$1" = two ]; then
    place=198.51.100.20 transport=tcp port=443
  fi
  NOTE="for $(($2 * 3)) ms"
  server_end "$1"
  start_in vpn "$LAB/log/noise" python3 "$LAB/bin/chaos_noise.py" $transport "$place" $port "$3"
  noise=$BACKGROUND
  hold $(($2 * 3))
  kill_hard "$noise"
  server_start "$1"
}

fault_uplink_down() {
  NOTE="$UPLINK for $2 ms"
  if [ $(($3 % 2)) = 0 ]; then
    uplink_lower "$UPLINK"
  else
    NOTE+=', its addresses gone'
    uplink_drop "$UPLINK"
  fi
  hold "$2"
  uplink_restore
}

# Once, as the last fault: long enough for the pauses between attempts to have grown.
fault_long_outage() {
  NOTE="$UPLINK for 17 s"
  uplink_drop "$UPLINK"
  hold 17000
  uplink_restore
}

fault_uplink_replace() {
  local old=$UPLINK
  UPLINK=$([ "$old" = up0 ] && echo up1 || echo up0)
  NOTE="$old by $UPLINK"
  if [ $(($3 % 2)) = 0 ]; then
    uplink_drop "$old"
    hold "$2"
    uplink_restore
  else
    NOTE+=', the new one first'
    uplink_restore
    hold "$2"
    neighbours_ask
    uplink_drop "$old"
  fi
}

fault_route_change() {
  case $(($3 % 3)) in
    0)
      NOTE="no default route for $2 ms"
      ip route del default
      ;;
    1)
      NOTE="an unreachable default route for $2 ms"
      ip route replace unreachable default
      ;;
    2)
      NOTE="another metric for $2 ms"
      ip route del default
      ip route add default via "192.168.$(uplink_net "$UPLINK").1" dev "$UPLINK" metric 600
      ;;
  esac
  hold "$2"
  ip route flush exact default
  uplink_routes "$UPLINK"
}

fault_firewall_flush() { nft flush ruleset; }

fault_firewall_drop() {
  case $(($3 % 3)) in
    0)
      NOTE="as Docker does, for $(($2 * 2)) ms"
      nft -f - <<'RULES'
table ip filter {
  chain DOCKER-USER { return; }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    jump DOCKER-USER
    oifname "docker0" ct state related,established accept
    iifname "docker0" oifname != "docker0" accept
  }
}
RULES
      ;;
    1)
      NOTE="as ufw does, for $(($2 * 2)) ms"
      nft -f - <<'RULES'
table ip filter {
  chain ufw-before-forward { ct state related,established accept; }
  chain FORWARD { type filter hook forward priority filter; policy drop; jump ufw-before-forward; }
}
RULES
      ;;
    2)
      NOTE="as firewalld does, for $(($2 * 2)) ms"
      nft -f - <<'RULES'
table ip filter {
  chain FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    iifname "lo" accept
    reject with icmp admin-prohibited
  }
}
RULES
      ;;
  esac
  hold $(($2 * 2))
  nft delete table ip filter
}

# The host's end of the link, by somebody who thinks that it is his.
fault_link_broken() {
  local variants=('deleted' 'set down' 'without its address')
  NOTE=${variants[$3 % 3]}
  expect_new_state "$1"
  case $(($3 % 3)) in
    0) ip link del "vr-$1" ;;
    1) ip link set "vr-$1" down ;;
    2) ip address flush dev "vr-$1" ;;
  esac
  NEW_STATE=''
}

# What `sysctl --system` or another program that shares a connection does when it ends.
fault_forwarding_reset() {
  NOTE="on for $2 ms, then off everywhere"
  sysctl -qw net.ipv4.ip_forward=1
  hold "$2"
  sysctl -qw net.ipv4.ip_forward=0
}

fault_resolv_conf() {
  local variants=('rewritten in place' 'replaced by rename' 'a symbolic link' 'dangling' 'removed')
  NOTE=${variants[$3 % 5]}
  case $(($3 % 5)) in
    0) printf '# chaos\nnameserver 192.168.77.1\n' >/etc/resolv.conf ;;
    1)
      printf '# chaos\nnameserver 192.168.77.1\n' >/etc/resolv.conf.new
      mv /etc/resolv.conf.new /etc/resolv.conf
      ;;
    2)
      echo 'nameserver 192.168.77.1' >/run/chaos-resolv.conf
      ln -sfT /run/chaos-resolv.conf /etc/resolv.conf
      ;;
    3) ln -sfT /run/nowhere/resolv.conf /etc/resolv.conf ;;
    4) rm -f /etc/resolv.conf ;;
  esac
  hold "$2"
  rm -f /etc/resolv.conf
  echo 'nameserver 192.168.77.1' >/etc/resolv.conf
}

fault_run_full() {
  local what=('nothing else' 'the client killed' 'the companion killed' 'restarted by its user' 'the route changed'
    'down and up')
  NOTE="${what[$3 % 6]}, for $2 ms"
  dd if=/dev/zero of=/run/filler bs=64k 2>/dev/null || :
  cat /dev/zero >>/run/filler 2>/dev/null || :
  case $(($3 % 6)) in
    1)
      expect_new_state "$1"
      kill -9 "$(client_of "$1")"
      ;;
    2)
      expect_new_state "$1"
      companion_end "$1"
      ;;
    3) by alice vpnrunctl restart "$1" >/dev/null 2>&1 || : ;;
    4)
      ip route del default
      uplink_routes "$UPLINK"
      ;;
    5)
      by alice vpnrunctl down "$1" >/dev/null 2>&1 || :
      by alice vpnrunctl up "$1" >/dev/null 2>&1 || :
      ;;
  esac
  hold "$2"
  rm /run/filler
}

# profile_write NAME EXTRA…: as the run uses them.
profile_write() {
  local name=$1
  shift
  case $name in
    one) profile one "$@" ;;
    two) profile two 'credentials = "two.auth"' "$@" ;;
  esac
}

fault_profile_edit() {
  if [ $(($3 % 3)) = 0 ]; then
    NOTE='a mistake in it'
    profile_write "$1" 'colour = "blue"'
    if by alice vpnrunctl restart "$1" >/dev/null 2>&1; then
      NOTE+=', which was accepted'
      return 1
    fi
    hold "$2"
    profile_write "$1"
  else
    NOTE='another search domain'
    profile_write "$1" '[dns]' "search = [\"n$3.who.example\"]"
    expect_new_state "$1"
    by alice vpnrunctl restart "$1" >/dev/null 2>&1 || NEW_STATE=
  fi
}

fault_tunnel_restart() {
  expect_new_state "$1"
  if [ $(($3 % 2)) = 0 ]; then
    NOTE='by its user'
    by alice vpnrunctl restart "$1" >/dev/null 2>&1 || NEW_STATE=
  else
    NOTE='SIGHUP'
    kill -HUP "${TUNNEL_PID[$1]}"
  fi
}

fault_down_up() {
  expect_new_state "$1"
  NOTE="down for $2 ms"
  by alice vpnrunctl down "$1" >/dev/null 2>&1 || NOTE+=', down failed'
  hold "$2"
  by alice vpnrunctl up "$1" >/dev/null 2>&1 || NOTE+=', up failed'
  [[ $NOTE != *failed* ]]
}

# raced LOG PROFILE VERB…: all at once; their pids are added to RACERS.
raced() {
  local log=$1 profile=$2 verb
  shift 2
  for verb; do
    case $verb in
      restart) by alice timeout 20 vpnrunctl restart "$profile" >>"$log" 2>&1 </dev/null & ;;
      launch) by alice timeout 20 vpnrun -p "$profile" --wait 5 true >>"$log" 2>&1 </dev/null & ;;
      *) "$TUNNEL" "$verb" "$profile" >>"$log" 2>&1 </dev/null & ;;
    esac
    RACERS+=("$!")
    [ "$verb" != run ] || RUNNERS+=("$!")
  done
}

racers_end() {
  local pid
  for pid in "${RACERS[@]}"; do
    ! kill -0 "$pid" 2>/dev/null || return 1
  done
}

# Under a companion that runs; it stays the only one.
fault_race_prepare() {
  local -a RACERS=() RUNNERS=()
  NOTE='prepare, run, restart and launches'
  raced "$LAB/log/race" "$1" prepare run launch restart prepare run launch
  wait_until 20 racers_end || {
    NOTE+=': one of them does not end'
    kill_hard "${RACERS[@]}" 2>/dev/null
    return 1
  }
}

# With release among them; who of the rest wins is open, but at the end one more release takes all
# away, and the profile is prepared and run again. Its applications are the runner's to start again.
fault_race_release() {
  local -a RACERS=() RUNNERS=() verbs=(prepare run release launch run prepare restart release)
  local turn=$(($3 % 8)) pid
  NOTE='prepare, run, release, restart and launches'
  MAY_DIE[$1]=yes
  raced "$LAB/log/race" "$1" "${verbs[@]:turn}" "${verbs[@]:0:turn}"
  hold_unsupervised "$2"
  timeout 30 "$TUNNEL" release "$1" || {
    NOTE+=': the last release failed'
    return 1
  }
  if ! wait_until 15 racers_end; then
    for pid in "${RUNNERS[@]}"; do
      ! kill -0 "$pid" 2>/dev/null || NOTE+=': a companion is left after the last release'
    done
    kill_hard "${RACERS[@]}" 2>/dev/null
    return 1
  fi
  wait "${TUNNEL_PID[$1]}" 2>/dev/null || :
  apps_end "$1"
  tunnel_prepare "$1"
  expect_new_state "$1"
  tunnel_run "$1"
  MAY_DIE[$1]=
  wait_until 15 tunnel_up "$1" || return 1
  # shellcheck disable=SC2046  # several names
  apps_start $(apps_of "$1")
}

hold_unsupervised() { nap "$(printf '0.%03d' $(($1 % 1000)))"; }
