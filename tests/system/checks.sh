# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The checks of the scenarios: one line each, "ok N - what" or "not ok N - what", and what was seen.

CHECKS=0
FAILURES=0
SCENARIO_COMPLETE=no

pass() {
  CHECKS=$((CHECKS + 1))
  echo "ok $CHECKS - $1${2:+ # $2}"
}

# fail WHAT SEEN…
fail() {
  CHECKS=$((CHECKS + 1))
  FAILURES=$((FAILURES + 1))
  echo "not ok $CHECKS - $1"
  shift
  printf '%s\n' "$@" | sed 's/^/#   /'
}

# is WHAT GOT EXPECTED
is() {
  if [ "$2" = "$3" ]; then
    pass "$1" "$(head -c 100 <<<"$2" | head -n 1)"
  else
    fail "$1" "expected: $3" "got:      $2"
  fi
}

# like WHAT GOT REGEX (extended, anywhere)
like() {
  if grep -Eq -- "$3" <<<"$2"; then
    pass "$1" "$(grep -E -m 1 -- "$3" <<<"$2")"
  else
    fail "$1" "expected: /$3/" "got:      $2"
  fi
}

# unlike WHAT GOT REGEX
unlike() {
  if grep -Eq -- "$3" <<<"$2"; then
    fail "$1" "unwanted: /$3/" "got:      $2"
  else
    pass "$1"
  fi
}

# empty WHAT GOT
empty() {
  if [ -z "$2" ]; then
    pass "$1"
  else
    fail "$1" "expected nothing, got:" "$2"
  fi
}

# check WHAT COMMAND…: it must succeed
check() {
  local what=$1 seen
  shift
  if seen=$("$@" 2>&1); then
    pass "$what" "$(head -n 1 <<<"$seen")"
  else
    fail "$what" "failed: $*" "$seen"
  fi
}

# within SECONDS WHAT COMMAND…: it must succeed before the time is over (as wait_until counts it)
within() {
  local limit=$1 what=$2
  shift 2
  if wait_until "$limit" "$@"; then
    pass "$what" "after $WAITED ms"
  else
    fail "$what" "not within $limit s: $*"
  fi
}

# throughout SECONDS WHAT COMMAND…: it must succeed each time for that long. For what must not happen: it has
# this much time to, and is seen even if it passes.
throughout() {
  local end=$(($(now_ms) + $1 * 1000)) what=$2 looks=0
  shift 2
  while [ "$(now_ms)" -lt "$end" ]; do
    if ! "$@" >/dev/null 2>&1; then
      fail "$what" "not any more at look $((looks + 1)): $*"
      return
    fi
    looks=$((looks + 1))
    sleep 0.02
  done
  pass "$what" "$looks looks"
}

# attempt COMMAND…: sets STATUS, OUT and ERR. Bounded: a command that hangs is ended (124).
attempt() {
  local before=$-
  set +e
  trap - ERR
  "$@" >"$LAB/tmp/out" 2>"$LAB/tmp/err" </dev/null
  STATUS=$?
  [[ $before != *e* ]] || set -e
  OUT=$(tr -d '\0' <"$LAB/tmp/out")
  ERR=$(tr -d '\0' <"$LAB/tmp/err")
}

# complains WHAT REGEX: after attempt; exactly one line that says what is wrong, matching REGEX, and
# one with what to do about it. (The companion's are lines of its log.)
complains() {
  is "$1: two lines on standard error" "$(grep -c '' <<<"$ERR")" 2
  like "$1: the first says what is wrong" "$(head -n 1 <<<"$ERR")" "^vpnrun.*: .*($2)"
  like "$1: the second what to do" "$(tail -n 1 <<<"$ERR")" '^hint: [^ ]'
}

# The logs, for whoever has to find out why.
show_logs() {
  local log
  for log in "$LAB"/log/tunnel-* "$LAB"/log/app-*; do
    [ -s "$log" ] || continue
    echo "# --- ${log##*/}"
    tail -n 40 "$log" | sed 's/^/#   /'
  done
  for log in "$LAB"/log/server-*; do
    echo "# --- ${log##*/}, since it was ready"
    sed '1,/Initialization Sequence Completed/d' "$log" | tail -n 15 | sed 's/^/#   /'
  done
}

# The last line of a scenario and its exit status.
scenario_end() {
  local status=$?
  trap - EXIT ERR
  if [ "$SCENARIO_COMPLETE" != yes ]; then
    echo "Bail out! the scenario ended early (status $status)"
    FAILURES=$((FAILURES + 1))
  fi
  if [ "$FAILURES" -gt 0 ] || [ -n "${VERBOSE:-}" ]; then
    show_logs
  fi
  echo "1..$CHECKS"
  echo "# $SCENARIO: $((CHECKS - FAILURES < 0 ? 0 : CHECKS - FAILURES)) of $CHECKS checks passed"
  exit $((FAILURES > 0))
}
