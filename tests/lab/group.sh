#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A control group of one's own:
#
#   group.sh COMMAND…     runs COMMAND in a new group of the cgroup2 hierarchy and a namespace in which
#                         that is the root; removes the group when COMMAND has ended. Needs root.
#
# COMMAND itself is in /init.scope, where programs expect the first process of a machine; what it
# starts with `echo 0 >…/machine/cgroup.procs` may divide /machine further.
set -euo pipefail
self=$(readlink -f "${BASH_SOURCE[0]}")
# Mounted again: not every machine shows cgroup2 at the same place. In a private mount namespace.
case ${LAB_GROUP_STEP:-} in
  '')
    group=vpnrun-lab-$$
    # After a signal as well, once COMMAND has gone; what was killed with -9 the next one removes.
    trap 'exit 143' TERM INT HUP
    trap 'LAB_GROUP_STEP=remove unshare -m -- bash "$self"' EXIT
    LAB_GROUP_STEP=enter unshare -m -- bash "$self" "$group" "$@" || exit
    ;;
  enter)
    group=$1
    shift
    mount -t cgroup2 lab-group /mnt
    mkdir -p "/mnt/$group"/{init.scope,machine}
    echo 0 >"/mnt/$group/cgroup.procs"
    LAB_GROUP_STEP=move exec unshare -C -- bash "$self" "$group" "$@"
    ;;
  move)
    group=$1
    shift
    echo 0 >"/mnt/$group/init.scope/cgroup.procs"
    umount /mnt
    unset LAB_GROUP_STEP
    exec "$@"
    ;;
  remove)
    mount -t cgroup2 lab-group /mnt
    for folder in /mnt/vpnrun-lab-*; do
      # Ours, and those whose owner is gone; one that still has processes cannot be removed.
      [ "${folder##*-}" = "$PPID" ] || [ ! -e "/proc/${folder##*-}" ] || continue
      grep -q '^populated 0' "$folder/cgroup.events" || continue
      find "$folder" -depth -type d -exec rmdir {} +
    done
    ;;
esac
