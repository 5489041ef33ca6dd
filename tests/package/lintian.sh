#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/package/lintian.sh BUILD: what Debian's checker finds wrong in the package of BUILD. Warnings count:
# those that stay are overridden in systemd/package, each with its reason.
set -euo pipefail
packages=("$1"/vpnrun_*.deb)
[ -f "${packages[0]}" ] || {
  echo "there is no package in '$1': cmake --workflow --preset package" >&2
  exit 1
}
exec lintian --allow-root --fail-on error,warning "${packages[@]}"
