# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=/dev/null
# Inside the lab: loads the checks, then the scenario $1 with its arguments, then sums up.
SCENARIO=$1
shift
source "$SOURCE/tests/system/checks.sh"
source "$SOURCE/tests/system/snapshot.sh"
trap scenario_end EXIT
source "$SOURCE/tests/system/$SCENARIO.sh" "$@"
SCENARIO_COMPLETE=yes
