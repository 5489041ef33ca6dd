# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The package of a build with VPNRUN_HELPER=capability: what an archive cannot hold is given when it is
# installed, and again after an upgrade.
WEB4=http://203.0.113.10/
HELPER=/usr/libexec/vpnrun/vpnrun-helper

# repack VERSION: the package as such a build makes it.
repack() {
  local folder=$LAB/tmp/package-$1
  dpkg-deb --raw-extract "$PACKAGE" "$folder"
  sed -i "s/^Version: .*/Version: $1/; s/^Depends: /&libcap2-bin, /" "$folder/DEBIAN/control"
  chmod 0711 "$folder$HELPER"
  dpkg-deb --root-owner-group -Znone --build "$folder" "$LAB/tmp/vpnrun_$1.deb" >/dev/null
}
UPSTREAM=$(dpkg-deb -f "$PACKAGE" Version)
UPSTREAM=${UPSTREAM%-*}
capabilities() { inside setcap -v 'cap_sys_admin,cap_sys_chroot=ep' $HELPER; }

repack "$UPSTREAM-2"
check 'the package is installed' machine_install "$LAB/tmp/vpnrun_$UPSTREAM-2.deb"
is 'the helper is not setuid, and nobody can read it' "$(inside stat -c %a $HELPER)" 711
check 'it has its two capabilities, and no other' capabilities
machine_profile one
check 'the tunnel starts' inside timeout 20 systemctl start vpnrun@one
is 'alice is behind it' "$(as_user alice vpnrun curl -sS -m 5 $WEB4)" 198.51.100.10
repack "$UPSTREAM-3"
check 'an upgrade' machine_install "$LAB/tmp/vpnrun_$UPSTREAM-3.deb"
check 'gives them again' capabilities
inside dpkg-statoverride --update --add root root 0700 $HELPER
check 'installed again' inside apt-get -qq install --yes --reinstall "/tmp/vpnrun_$UPSTREAM-3.deb"
is 'what the administrator decided stands' "$(inside stat -c %a $HELPER)" 700
attempt capabilities
is 'without capabilities' "$((STATUS != 0))" 1
