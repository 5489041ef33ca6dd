# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What every part of the lab uses: time, waiting, running as somebody.

# now_ms: the wall clock in milliseconds, the same clock that the probes print.
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# How many times as long a machine may take that is busy with something else, or a lab that runs niced.
LAB_PATIENCE=${LAB_PATIENCE:-4}

# wait_until SECONDS COMMAND…: polls until COMMAND succeeds. False when the time is over: SECONDS, which may
# have a fraction, of a machine with nothing else to do. Sets WAITED to the milliseconds that it took.
wait_until() {
  local start limit spent=0 before nap now
  printf -v limit %.0f "${1}e3"
  limit=$((limit * LAB_PATIENCE))
  shift
  start=$(now_ms)
  before=$start
  while ! "$@" >/dev/null 2>&1; do
    nap=$(now_ms)
    sleep 0.02
    now=$(now_ms)
    # A nap that takes longer shows how little of the processors is left: time counts for less then.
    nap=$((now - nap))
    spent=$((spent + (now - before) * 50 / (nap > 50 ? nap : 50)))
    before=$now
    if [ "$spent" -ge "$limit" ]; then
      WAITED=$((now - start))
      return 1
    fi
  done
  WAITED=$(($(now_ms) - start))
}

# on NAMESPACE COMMAND…: in the network of 'router', 'vpn' or 'web'.
on() {
  local name=$1
  shift
  nsenter --net="$LAB/ns/$name" -- "$@"
}

# background LOG COMMAND…: starts COMMAND with its output in LOG; sets BACKGROUND to its pid.
background() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null &
  BACKGROUND=$!
}

# kill_hard PID…: kill -9 for children of this shell and others, without the shell's remark about it.
kill_hard() {
  kill -9 "$@"
  wait "$@" 2>/dev/null || return 0
}

# gone PID: no such process (a zombie that nobody waited for counts as gone).
gone() {
  local state
  state=$(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null) || return 0
  [ -z "$state" ] || [ "$state" = Z ]
}
