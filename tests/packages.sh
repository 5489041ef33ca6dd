# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# packages_install KIND…: installs what tests/packages lists for these kinds and is not there yet.
# Without root it says what is missing and leaves it to the person.
packages_install() {
  local kind list=() missing=() name
  for kind; do
    mapfile -t -O "${#list[@]}" list < <(sed -n "s/^$kind //p" "$SOURCE/tests/packages")
  done
  for name in "${list[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "these packages are not installed, and only root can do it: apt-get install ${missing[*]}" >&2
    return 0
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
}
