#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/package/places.sh BUILD: installs BUILD, which is configured for another prefix than /usr, below a scratch folder,
# and looks for files, and for texts in programs, units and pages, that name a place outside of it.
set -euo pipefail
build=$(cd "$1" && pwd)
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
[ "$prefix" != /usr ] || {
  echo "'$1' is for /usr: configure another one, -DCMAKE_INSTALL_PREFIX=/opt/vpnrun -DCMAKE_INSTALL_SYSCONFDIR=/opt/vpnrun/etc" >&2
  exit 1
}
root=$(mktemp -d "${TMPDIR:-/tmp}/vpnrun-places.XXXXXX")
trap 'rm -rf "$root"' EXIT
DESTDIR=$root cmake --install "$build" >/dev/null
found=0
outside=$(find "$root" -not -type d -not -path "$root$prefix/*")
[ -z "$outside" ] || {
  echo "outside of $prefix: $outside"
  found=1
}
[ "$(find "$root$prefix" -type f | wc -l)" -ge 20 ] || {
  echo 'next to nothing was installed'
  found=1
}
# What a default prefix would say. snapd's own folders are not ours.
wrong='/usr/(local/)?(bin/vpnrun|libexec|lib/systemd|share/doc/vpnrun|share/man)|/usr/(local/)?etc/vpnrun|(^|[^A-Za-z0-9_.-])/etc/vpnrun'
while IFS= read -r -d '' file; do
  text=$(strings -n 5 "$file" | grep -E "$wrong" | grep -vE '^[^ ]*/usr/libexec/snapd|_?/usr/lib(exec)?/snapd' || true)
  [ -z "$text" ] || {
    printf '%s names\n%s\n' "${file#"$root"}" "$text"
    found=1
  }
done < <(find "$root" -type f -print0)
# Those of the machine that is installed on are what a positive control finds.
grep -qE "$wrong" <<<'see /etc/vpnrun/config.toml' && grep -qE "$wrong" <<<'/usr/libexec/vpnrun/vpnrun-tunnel run x'
[ "$found" = 0 ] && echo "all is in $prefix, and says so"
exit "$found"
