# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: cmake --workflow --preset package, or cpack -G DEB in a build with the prefix /usr.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vpnrun)
set(CPACK_PACKAGE_VENDOR vpnrun)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "vpnrun maintainers <vpnrun@localhost>")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openvpn)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS wireguard-tools)
include(CPack)
