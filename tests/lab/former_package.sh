#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The package of a release that people have installed, built from its own commit of this repository: what
# an upgrade begins with.
#
#   tests/lab/former_package.sh FOLDER
#
# FOLDER/vpnrun_0.1.0-1_ARCH.deb is made once; FOLDER.stamp has the commit and the day of this script.
set -euo pipefail

FORMER_VERSION=0.1.0
FORMER_COMMIT=b715813354690be9458236862ab4138e1457c269

former_main() {
  [ $# = 1 ] || {
    sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
  }
  local source folder wanted
  source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  folder=$(readlink -m "$1")
  wanted="$FORMER_COMMIT $(sha256sum <"${BASH_SOURCE[0]}")"
  [ "$(cat "$folder.stamp" 2>/dev/null)" != "$wanted" ] || return 0
  git -C "$source" cat-file -e "$FORMER_COMMIT^{commit}" 2>/dev/null || {
    echo "former package: commit ${FORMER_COMMIT:0:7} ($FORMER_VERSION) is not in this repository: git fetch --unshallow" >&2
    return 1
  }
  rm -rf --one-file-system "$folder" "$folder.stamp"
  mkdir -p "$folder/source"
  git -C "$source" archive "$FORMER_COMMIT" | tar -x -C "$folder/source"
  # The time of the commit, as its own workflow has it.
  SOURCE_DATE_EPOCH=$(git -C "$source" show --no-patch --format=%ct "$FORMER_COMMIT")
  export SOURCE_DATE_EPOCH
  (
    cd "$folder/source"
    cmake --preset package
    cmake --build --preset package -j "$(nproc)"
    cd build/package
    cpack -G DEB
  ) >"$folder/log" 2>&1 || {
    tail -n 40 "$folder/log" >&2
    return 1
  }
  mv "$folder"/source/build/package/vpnrun_"$FORMER_VERSION"-*.deb "$folder/"
  rm -rf "$folder/source"
  echo "$wanted" >"$folder.stamp"
}

former_main "$@"
