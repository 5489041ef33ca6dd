# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=/dev/null
# What the prompt of `lab.sh shell` starts with: the lab's functions, without errexit.
source "$SOURCE/tests/lab/lab.sh"
lab_load
set +eu +o pipefail
PS1='(lab) \u@host:\w\$ '
