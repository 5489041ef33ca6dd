# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# packages_listed KIND…: what tests/packages lists for these kinds, a line for each package.
packages_listed() {
  local kind
  for kind; do
    sed -n "s/^$kind //p" "$SOURCE/tests/packages"
  done
}

package_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
# Not by a pipe into `grep -q`: apt-cache writes on, gets SIGPIPE, and with pipefail that is a no.
package_available() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[!\(]* ]]; }

# package_name 'NAME | NAME…': the name that the package has here; the first, for apt to complain of, if none
# of them can be had. Asks apt, whose lists must be there.
package_name() {
  local name test
  local -a names
  read -ra names <<<"${1//|/ }"
  for test in package_installed package_available; do
    for name in "${names[@]}"; do
      ! "$test" "$name" || {
        echo "$name"
        return
      }
    done
  done
  echo "${names[0]}"
}

# packages_missing KIND…: the lines of those that are not installed under any of their names.
packages_missing() {
  local line name
  while read -r line; do
    for name in ${line//|/ }; do
      ! package_installed "$name" || continue 2
    done
    echo "$line"
  done < <(packages_listed "$@")
}

# packages_install KIND…: installs what tests/packages lists for these kinds and is not there yet.
# Without root it says what is missing and leaves it to the person.
packages_install() {
  local line
  local -a missing names=()
  mapfile -t missing < <(packages_missing "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  [ "$(id -u)" != 0 ] || apt-get -qq update
  for line in "${missing[@]}"; do
    names+=("$(package_name "$line")")
  done
  if [ "$(id -u)" != 0 ]; then
    echo "these packages are not installed, and only root can do it: apt-get install ${names[*]}" >&2
    return 0
  fi
  echo "installing ${#names[@]} packages: ${names[*]}"
  apt-get -qq install --yes --no-install-recommends "${names[@]}" >/dev/null
}

# packages_unpack FOLDER: what tests/packages lists as 'daemon', with all that it needs and that is not
# installed, as a tree in FOLDER (usr, etc). Done once for each release; needs root, as apt does.
packages_unpack() {
  local folder=$1 archive top line wanted
  local -a list=()
  wanted="$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release): $(packages_listed daemon)"
  [ "$(cat "$folder/.list" 2>/dev/null)" != "$wanted" ] || return 0
  rm -rf "$folder"
  mkdir -p "$folder/archives/partial"
  apt-get -qq update
  while read -r line; do
    list+=("$(package_name "$line")")
  done < <(packages_listed daemon)
  echo "unpacking for the lab: ${list[*]}"
  apt-get -qq -o "Dir::Cache::archives=$folder/archives" -o APT::Sandbox::User=root install --yes --download-only \
    --no-install-recommends --reinstall "${list[@]}"
  for archive in "$folder"/archives/*.deb; do
    dpkg --fsys-tarfile "$archive" | tar -x -C "$folder" --exclude='./usr/share/doc' --exclude='./usr/share/man'
  done
  # /lib and the others are links into /usr.
  for top in lib sbin bin lib64; do
    [ ! -d "$folder/$top" ] || {
      mkdir -p "$folder/usr/$top"
      cp -a "$folder/$top/." "$folder/usr/$top/"
      rm -r "${folder:?}/$top"
    }
  done
  rm -r "$folder/archives"
  echo "$wanted" >"$folder/.list"
}

# packages_reach: for mmdebstrap, an option a line: how this machine's apt gets at the archive, and what it puts up
# with: a proxy, an index past its date.
packages_reach() { apt-config dump | sed -nE 's/^(Acquire::(Check-|https?::Proxy|Retries).*)/--aptopt=\1/p'; }
