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

# former_adapt FOLDER: 0.1.0 was written for the libraries of Debian 12 alone. Where they are newer it gets the
# new names of two files of toml++, and of fmt 10 one function more; its own code stays what it was.
former_adapt() {
  echo '#include <toml++/impl/preprocessor.h>' | c++ -std=c++20 -E -x c++ - >/dev/null 2>&1 ||
    sed -i 's|<toml++/impl/\(.*\)\.h>|<toml++/impl/\1.hpp>|' "$1/profiles/toml_library.h"
  printf '%s\n' '#if FMT_VERSION >= 100000 && FMT_VERSION < 110000' 'FMT_BEGIN_NAMESPACE' 'namespace detail {' \
    'template FMT_API void vformat_to(buffer<char>&, string_view, typename vformat_args<>::type, locale_ref);' \
    '}' 'FMT_END_NAMESPACE' '#endif' >>"$1/profiles/fmt.cc"
}

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
  former_adapt "$folder/source"
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
