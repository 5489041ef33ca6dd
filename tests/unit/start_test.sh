#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# start_test.sh VPNRUN VPNRUNCTL: a launch sets no streams up, which takes a twentieth of its time. Who includes
# <iostream> does, as CLI11 does; vpnrunctl, which has it, is the control.
set -eu

# The first is of libstdc++ up to 12, the second of those that came after.
streams() { nm -C "$1" | grep -E 'std::ios_base::Init::Init\(|std::ios_base_library_init\('; }

streams "$2" >/dev/null || {
  echo "not ok - control: vpnrunctl sets streams up" && exit 1
}
if found=$(streams "$1"); then
  echo "not ok - vpnrun sets no streams up"
  echo "$found" | sed 's/^/# /'
  exit 1
fi
echo "ok - vpnrun sets no streams up"
