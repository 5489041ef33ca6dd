# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# failing_calls prepare|run [STRIDE [FIRST]]: each system call of vpnrun-tunnel fails, one in each turn
# (with a STRIDE every so many, from FIRST on). It either goes on and does what it should, or ends with
# a message and a status of its own; and in both cases nothing is left that release does not take
# away, and no application is outside.
COMMAND=$1
STRIDE=${2:-1}
FIRST=${3:-1}
# What cannot fail like that, or ends the process by its nature. brk(2) tells no error; close(2) has
# closed when it tells one, and a call that is made to fail is not made; after futex(2) libc aborts.
NEVER=' execve exit exit_group rt_sigreturn getpid gettid getuid geteuid getgid getegid brk close futex '

# The calls of one run, "NAME ORDINAL" each: of the process itself, in order, up to the working tunnel.
# The dynamic loader's own do not count; it ends with unmapping its cache. Nor does a write that the
# kernel restarts: to /proc/sys/net, thousands of times while somebody else holds the network's lock.
calls_of() {
  awk -v never="$NEVER" -v pid="$2" '
    $1 == pid && !/= \? ERESTART/ && match($2, /^[a-z0-9_]+\(/) {
      name = substr($2, 1, RLENGTH - 1)
      count[name]++
      if (loaded && index(never, " " name " ") == 0) print name, count[name]
      if (name == "munmap") loaded = 1
    }' "$1"
}

# traced FAULT COMMAND…: what prepare leaves to a child is its own work, and a child that makes as many
# calls of the kind is disturbed as well. The children of run are other programs.
traced() {
  local fault=$1 follow=()
  shift
  [ "$COMMAND" = run ] || follow=(-f)
  strace "${follow[@]}" -qq -o /dev/null -e "inject=${fault% *}:error=EIO:when=${fault#* }" -e "trace=${fault% *}" "$@"
}

leftovers() {
  {
    ls -A /run/netns || :
    ls -A /run/vpnrun/one || :
    ip -o link show type veth | grep -o 'vr-[a-z0-9]*' || :
    nft list tables | grep vpnrun || :
    grep -oE ' /run/(vpnrun|netns)/[^ ]*' /proc/self/mountinfo || :
    clients || :
  } 2>/dev/null
}

# ended_well STATUS TEXT FAULT: empty, or what is wrong. If a write fails, in a child as well, it may be
# the message that is not written.
ended_well() {
  case $1 in
    0) ;;
    *)
      if [ "$1" -ge 124 ] && [ "$1" != 127 ]; then
        echo "status $1"
      elif [ -z "$2" ] && [ "${3% *}" != write ]; then
        echo 'no message'
      fi
      ;;
  esac
  ! grep -q 'terminate called\|Assertion\|Sanitizer' <<<"$2" || echo 'not a message of its own'
}

fault_in_prepare() {
  local text status=0 wrong
  text=$(traced "$1" "$TUNNEL" prepare one 2>&1) || status=$?
  wrong=$(ended_well $status "$text" "$1")
  if grep -q 'cannot return to' <<<"$text"; then
    : # It ends at once, without undoing what would now be done to another network.
  elif [ $status != 0 ] && [ -z "$wrong" ]; then
    wrong=$(leftovers)
    [ -z "$wrong" ] || wrong="left behind: $wrong"
  elif [ $status = 0 ]; then
    # All of it, or a warning that says what is missing.
    grep -q 'policy drop' <<<"$(nsenter --net=/run/vpnrun/one/netns nft list chain inet vpnrun leave 2>&1)" ||
      wrong+=' not sealed'
    "$TUNNEL" release one >/dev/null 2>&1 || wrong+=' release fails'
    [ -z "$(leftovers)" ] || wrong+=" left behind: $(leftovers)"
  fi
  "$TUNNEL" release one >/dev/null 2>&1 || wrong+=' release fails'
  OUTCOMES[$((status > 0))]=$((${OUTCOMES[$((status > 0))]:-0} + 1))
  [ -z "$wrong" ] || printf '%s\n' "$1: $wrong" "$text"
}

fault_in_run() {
  local log=$LAB/tmp/run status=0 wrong='' address
  : >"$log"
  "$TUNNEL" prepare one
  traced "$1" "$TUNNEL" run one >"$log" 2>&1 </dev/null &
  local tracer=$!
  wait_until 15 eval "gone $tracer || grep -q \"'one' is up\" $log" || wrong='neither up nor ended'
  if gone $tracer; then
    wait $tracer || status=$?
    wrong=$(ended_well $status "$(cat "$log")")
    [ $status != 0 ] || wrong='ended by itself with status 0'
    address=$(by alice timeout 5 curl -s -m 1 --interface lo http://203.0.113.10/ || :)
  else
    wait_until 15 tunnel_up_by_state || wrong='up, but no default route'
    address=$(by alice timeout 10 vpnrun --wait 5 curl -s -m 3 http://203.0.113.10/ 2>&1 || :)
    [ "$address" = 198.51.100.10 ] || wrong+=" an application sees '$address'"
    kill -TERM "$(pgrep -o -x vpnrun-tunnel)"
    wait_until 10 gone $tracer || wrong+=' does not end'
    wait $tracer 2>/dev/null || :
  fi
  ! nsenter --net=/run/vpnrun/one/netns -- curl -s -m 1 -o "$LAB/tmp/page" http://203.0.113.10/ ||
    wrong+=' not sealed afterwards'
  "$TUNNEL" release one >/dev/null 2>&1 || wrong+=' release fails'
  [ -z "$(leftovers)" ] || wrong+=" left behind: $(leftovers)"
  OUTCOMES[$((status > 0))]=$((${OUTCOMES[$((status > 0))]:-0} + 1))
  [ -z "$wrong" ] || {
    printf '%s\n' "$1: $wrong"
    tail -n 5 "$log"
  }
}
tunnel_up_by_state() { grep -q '"state": *"up"' /run/vpnrun/one/state.json && tunnel_has_route one; }

profile_one
"$TUNNEL" prepare one
case $COMMAND in
  prepare)
    "$TUNNEL" release one
    strace -f -qq -o "$LAB/tmp/calls" "$TUNNEL" prepare one
    "$TUNNEL" release one
    ;;
  run)
    strace -f -qq -o "$LAB/tmp/calls" "$TUNNEL" run one >"$LAB/tmp/run" 2>&1 </dev/null &
    tracer=$!
    wait_until 20 grep -q "'one' is up" "$LAB/tmp/run"
    kill -TERM "$(pgrep -o -x vpnrun-tunnel)"
    wait $tracer || :
    # Not what it did to end. The first two children, which reset SIGTERM as all do, ask NSS for its number.
    awk '/SIGTERM/ && ++seen > 2 { exit } { print }' "$LAB/tmp/calls" >"$LAB/tmp/calls.begun"
    mv "$LAB/tmp/calls.begun" "$LAB/tmp/calls"
    "$TUNNEL" release one
    ;;
esac
mapfile -t CALLS < <(calls_of "$LAB/tmp/calls" "$(head -n 1 "$LAB/tmp/calls" | cut -d ' ' -f 1)")
is 'control: the calls are known' "$((${#CALLS[@]} > 200))" 1
empty 'control: nothing is left before' "$(leftovers)"
traced 'getpid 60000' "$TUNNEL" prepare one
check 'control: what prepare makes is seen' eval '[ "$(leftovers | wc -l)" -gt 3 ]'
"$TUNNEL" release one

capture_start
declare -A OUTCOMES=()
turns=0
for ((position = FIRST - 1; position < ${#CALLS[@]}; position += STRIDE)); do
  turns=$((turns + 1))
  "fault_in_$COMMAND" "${CALLS[position]}" >"$LAB/tmp/wrong"
  [ ! -s "$LAB/tmp/wrong" ] || fail "call $((position + 1)), ${CALLS[position]}" "$(cat "$LAB/tmp/wrong")"
done
capture_stop
pass "$turns of ${#CALLS[@]} calls failed, one in each turn" "${OUTCOMES[0]:-0} times it went on, ${OUTCOMES[1]:-0} times it gave up"
is 'some failures matter' "$((${OUTCOMES[1]:-0} > 2))" 1
empty 'nothing left outside the tunnel' "$(capture_stray "$CAPTURE_ONE")"
