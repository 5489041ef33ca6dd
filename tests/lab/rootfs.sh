#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The root file system that the booted machines start from: a plain Debian of this machine's own release
# with systemd, made from this machine's apt sources.
#
#   tests/lab/rootfs.sh FOLDER PACKAGE.deb
#
# FOLDER becomes the root; machines use it as a read-only layer. What PACKAGE.deb depends on and
# recommends is downloaded into its apt cache but not installed, and so is what the scenarios install
# later: inside, without any network, `apt-get install ./PACKAGE.deb` does what it does for a newcomer.
# FOLDER.ready is the same with the dependencies installed, to save that time where it is not the
# question. All of it is done once: FOLDER.stamp has what the root was made of, FOLDER.archives what was
# downloaded. Users: alice and bob, with home folders and no password.
set -euo pipefail
# shellcheck source=tests/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"
umask 022

# What a server or a desktop has in any case. Nothing that vpnrun needs by itself.
ROOTFS_PACKAGES=(systemd systemd-sysv libpam-systemd dbus dbus-user-session polkitd udev apt
  ca-certificates curl iproute2 kmod less login netbase passwd procps)
# For scenarios, to be installed by them: a daemon and a browser behind the tunnel, a cache of names.
ROOTFS_LATER=(transmission-daemon transmission-cli nscd dillo xvfb)

# rootfs_indexes: an 'ORIGIN|CODENAME|FILE:NUMBER' for each of apt's package indexes; the last says which
# line of a .list, or which paragraph of a .sources, asks for it. Empty names before the first update.
rootfs_indexes() {
  # shellcheck disable=SC2016  # apt's own variables
  apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(SOURCESENTRY)' 'Created-By: Packages' 2>/dev/null
}

# rootfs_suite INDEXES: which of the distribution's suites this machine lives on. Between two releases testing
# and sid call themselves by the same name, that of the next release.
rootfs_suite() {
  local id codename suite
  id=$(. /etc/os-release && echo "${ID:-}")
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  for suite in "$codename" sid; do
    if [ -n "$suite" ] && grep -qi "^$id|$suite|" <<<"$1"; then
      echo "$suite"
      return
    fi
  done
  echo "rootfs: apt has no sources of '$id' for '$codename', which this machine is by /etc/os-release" >&2
  return 1
}

# rootfs_sources INDEXES SUITE FOLDER: what this machine's apt reads of the distribution, as files in FOLDER,
# whatever the form and the name of the files that it stands in; nothing of third parties.
rootfs_sources() {
  local id entry file number
  id=$(. /etc/os-release && echo "${ID:-}")
  while IFS= read -r entry; do
    file=${entry%:*} number=${entry##*:}
    if [[ $file == *.sources ]]; then
      grep -v '^#' "$file" | awk -v RS= -v number="$number" 'NR == number { print $0 "\n" }' >>"$3/lab.sources"
    else
      sed -n "${number}p" "$file" >>"$3/lab.list"
    fi
  done < <(grep -Ei "^$id\|$2(-[a-z-]+)?\|" <<<"$1" | cut -d '|' -f 3 | sort -u)
}

# rootfs_inside FOLDER COMMAND…: in the new root, with a /proc of its own; what COMMAND mounts or leaves
# running is gone afterwards.
rootfs_inside() {
  local root=$1
  shift
  unshare -m -p -f --kill-child -- bash -euc '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
  ' rootfs "$root" "$@"
}

# rootfs_bootstrap FOLDER SUITE SOURCES: man pages are left out of the root, not of what is installed later.
rootfs_bootstrap() {
  local root=$1 suite=$2 list
  local -a options
  mapfile -t options < <(packages_reach)
  list=$(
    IFS=,
    echo "${ROOTFS_PACKAGES[*]}"
  )
  rm -rf --one-file-system "$root" "$root.stamp" "$root.archives"
  mkdir -p "$(dirname "$root")"
  unshare -m -p -f --kill-child --mount-proc -- mmdebstrap --quiet --mode=root --variant=minbase \
    --include="$list" --skip=cleanup/apt/lists --aptopt='Acquire::Languages "none"' "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$root" "$3"/lab.*
  rm "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
}

rootfs_configure() {
  local root=$1 user id=1000 unit
  for user in alice bob; do
    chroot "$root" useradd --create-home --shell /bin/bash --uid "$id" "$user"
    id=$((id + 1))
  done
  # The kernel is not this root's: what asks for its modules would bring one along, and its initramfs.
  printf '%s\n' 'Package: linux-image-*' 'Pin: release *' 'Pin-Priority: -1' >"$root/etc/apt/preferences.d/kernel"
  echo lab >"$root/etc/hostname"
  printf '%s\n' '127.0.0.1 localhost lab' '::1 localhost' >"$root/etc/hosts"
  # Not "uninitialized": that would be a first boot, which enables units by their presets.
  : >"$root/etc/machine-id"
  ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  # What would start at its own time, or wait for a terminal.
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    dpkg-db-backup.timer console-getty.service getty.target systemd-networkd-wait-online.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
}

# rootfs_download FOLDER PACKAGE.deb
rootfs_download() {
  local root=$1 package=$2
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp "$package" "$root/tmp/vpnrun.deb"
  rootfs_inside "$root" apt-get -qq update
  rootfs_inside "$root" apt-get -qq install --yes --download-only /tmp/vpnrun.deb "${ROOTFS_LATER[@]}"
  rm "$root/tmp/vpnrun.deb"
  echo 'nameserver 192.168.77.1' >"$root/etc/resolv.conf"
}

# rootfs_ready FOLDER PACKAGE.deb
rootfs_ready() {
  local root=$1 package=$2
  local -a needed
  # Of alternatives the first.
  mapfile -t needed < <(dpkg-deb -f "$package" Depends Recommends | sed 's/^[A-Z][a-z]*: //' | tr , '\n' |
    sed -E 's/[|(].*//; s/ //g')
  rm -rf --one-file-system "$root.ready"
  cp -a --reflink=auto "$root" "$root.ready"
  rootfs_inside "$root.ready" apt-get -qq install --yes "${needed[@]}" >/dev/null
}

rootfs_main() {
  [ $# = 2 ] || {
    sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
  }
  local root package=$2 indexes suite sources wanted needed
  root=$(readlink -m "$1")
  [ "$(id -u)" = 0 ] || {
    echo "rootfs: needs root" >&2
    exit 1
  }
  indexes=$(rootfs_indexes)
  grep -q '^[^|]' <<<"$indexes" || {
    apt-get -qq update
    indexes=$(rootfs_indexes)
  }
  suite=$(rootfs_suite "$indexes")
  sources=$root.sources
  rm -rf --one-file-system "$sources"
  mkdir -p "$sources"
  rootfs_sources "$indexes" "$suite" "$sources"
  wanted="$suite ${ROOTFS_PACKAGES[*]} $(cat "$sources"/lab.* "${BASH_SOURCE[0]}" | sha256sum)"
  needed="$suite $(dpkg-deb -f "$package" Depends Recommends) ${ROOTFS_LATER[*]}"
  if [ "$(cat "$root.stamp" 2>/dev/null)" != "$wanted" ]; then
    rootfs_bootstrap "$root" "$suite" "$sources"
    rootfs_configure "$root"
    echo "$wanted" >"$root.stamp"
  fi
  if [ "$(cat "$root.archives" 2>/dev/null)" != "$needed" ]; then
    rootfs_download "$root" "$package"
    rootfs_ready "$root" "$package"
    echo "$needed" >"$root.archives"
  fi
}

rootfs_main "$@"
