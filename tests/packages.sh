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

# packages_unpack FOLDER: what tests/packages lists as 'daemon', with all that it needs and that is not
# installed, as a tree in FOLDER (usr, etc). Done once; needs root, as apt does.
packages_unpack() {
  local folder=$1 archive top
  local -a list
  mapfile -t list < <(sed -n 's/^daemon //p' "$SOURCE/tests/packages")
  [ "$(cat "$folder/.list" 2>/dev/null)" != "${list[*]}" ] || return 0
  rm -rf "$folder"
  mkdir -p "$folder/archives/partial"
  echo "unpacking for the lab: ${list[*]}"
  apt-get -qq update
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
  echo "${list[*]}" >"$folder/.list"
}
