# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=/dev/null
# Inside the lab: boots the machine, runs the scenario $1 with its arguments, then sums up.
SCENARIO=$1
shift
source "$SOURCE/tests/lab/booted.sh"
source "$SOURCE/tests/system/checks.sh"
trap scenario_end EXIT

# The machine's own story, for whoever has to find out why.
show_logs() {
  local log
  for log in "$LAB"/log/{machine-console,apt} "$LAB"/log/app-*; do
    [ -s "$log" ] || continue
    echo "# --- ${log##*/}"
    tail -n 40 "$log" | sed 's/^/#   /'
  done
  [ -n "$MACHINE_PID" ] || return 0
  echo '# --- journal'
  journal -o short-monotonic -n 120 | sed 's/^/#   /'
}

# A clean Debian where that is the question; elsewhere what the package needs is there already.
case $SCENARIO in
  machine | package) ;;
  *) ROOTFS=$ROOTFS.ready ;;
esac
machine_boot
source "$SOURCE/tests/booted/$SCENARIO.sh" "$@"
machine_poweroff
SCENARIO_COMPLETE=yes
