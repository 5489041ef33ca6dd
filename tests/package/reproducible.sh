#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/package/reproducible.sh BUILD: builds the package again, from a copy of the sources in another
# folder, in another time zone, with another umask and without any cache, and compares it with that of
# BUILD, byte by byte.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$1" && pwd)
first=("$build"/vpnrun_*.deb)
[ -f "${first[0]}" ] && [ "${#first[@]}" = 1 ] || {
  echo "there is not one package in '$1': cmake --workflow --preset package" >&2
  exit 1
}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/vpnrun-again.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Without .git: the date is given, as a distribution does.
date=$(sed -n 's/^set(CPACK_VPNRUN_DATE "\(.*\)")$/\1/p' "$build/CPackConfig.cmake")
mkdir "$work/elsewhere"
tar -C "$SOURCE" --exclude=./build --exclude=./.git -cf - . | tar -C "$work/elsewhere" -xf -
cd "$work/elsewhere"
umask 027
env -u CMAKE_C_COMPILER_LAUNCHER -u CMAKE_CXX_COMPILER_LAUNCHER CCACHE_DISABLE=1 SOURCE_DATE_EPOCH="$date" \
  TZ=Pacific/Auckland cmake --workflow --preset package >"$work/log" 2>&1 || {
  tail -n 40 "$work/log"
  exit 1
}
second=(build/package/vpnrun_*.deb)
if cmp "${first[0]}" "${second[0]}"; then
  echo "the same $(stat -c %s "${second[0]}") bytes: ${second[0]##*/}"
  exit 0
fi
echo "the packages differ (is that of '$1' built from these sources?):"
dpkg-deb -R "${first[0]}" "$work/first"
dpkg-deb -R "${second[0]}" "$work/second"
diff -rq "$work/first" "$work/second"
diff <(dpkg-deb -c "${first[0]}") <(dpkg-deb -c "${second[0]}")
exit 1
