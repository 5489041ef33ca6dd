# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: `cmake --workflow --preset package`, or `cpack -G DEB` in a build tree.
# The paths are those that were compiled in, so that only such a build becomes a package. An archive keeps
# the setuid bit but not a file's capabilities: with VPNRUN_HELPER=capability postinst sets them.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr" OR NOT CMAKE_INSTALL_FULL_SYSCONFDIR STREQUAL "/etc"
   OR VPNRUN_SANITIZE)
  return()
endif()
set(VPNRUN_MAINTAINER "vpnrun maintainers <vpnrun@localhost>"
    CACHE STRING "who is responsible for a package of this build")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vpnrun)
set(CPACK_PACKAGE_VENDOR vpnrun)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "run one application behind a VPN, but not the rest of the machine")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${CMAKE_CURRENT_LIST_DIR}/description)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
# cpack itself would take that of the machine that builds.
if(CMAKE_CROSSCOMPILING)
  execute_process(COMMAND dpkg-architecture -t ${CMAKE_LIBRARY_ARCHITECTURE} -q DEB_HOST_ARCH ERROR_QUIET
    OUTPUT_VARIABLE CPACK_DEBIAN_PACKAGE_ARCHITECTURE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${VPNRUN_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The second is for the user and group that postinst makes.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "openvpn, systemd | systemd-standalone-sysusers | systemd-sysusers")
if(VPNRUN_HELPER STREQUAL "capability")
  string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", libcap2-bin")
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS wireguard-tools)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(script postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/${script})
endforeach()

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of $SOURCE_DATE_EPOCH
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${CMAKE_BINARY_DIR}/package/changelog.Debian @ONLY)
set(CPACK_VPNRUN_DATE $ENV{SOURCE_DATE_EPOCH})
set(CPACK_VPNRUN_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_VPNRUN_CHANGELOG ${CMAKE_BINARY_DIR}/package/changelog.Debian)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/cpack.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/repack.cmake)
include(CPack)
