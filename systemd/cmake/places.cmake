# SPDX-License-Identifier: GPL-2.0-or-later
# Where vpnrun is installed. Programs, units, man pages and messages are made for these places: what is
# installed with another --prefix than it was configured for does not find its parts.
# /run/vpnrun is no choice: it is a contract with everything else that uses profiles.

# Below the prefix, or absolute. For a system prefix that is where systemd.pc has them.
set(VPNRUN_UNIT_DIR lib/systemd/system CACHE STRING "folder of the units")
set(VPNRUN_USER_UNIT_DIR lib/systemd/user CACHE STRING "folder of users' units")
set(VPNRUN_SYSUSERS_DIR lib/sysusers.d CACHE STRING "folder for sysusers.d(5)")
set(VPNRUN_TMPFILES_DIR lib/tmpfiles.d CACHE STRING "folder for tmpfiles.d(5)")
set(VPNRUN_UDEV_RULES_DIR lib/udev/rules.d CACHE STRING "folder for udev(7)'s rules")
set(VPNRUN_NETWORK_DIR lib/systemd/network CACHE STRING "folder for systemd.network(5)")
# Debian's zsh looks into site-functions below /usr/local, but not below /usr: packages have a folder of their own.
set(zsh site-functions)
if(EXISTS /etc/debian_version AND CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh vendor-completions)
endif()
set(VPNRUN_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/${zsh} CACHE STRING "folder of zsh's completions")

# They stand in units, shell scripts and man pages as they are.
foreach(place CMAKE_INSTALL_PREFIX CMAKE_INSTALL_FULL_BINDIR CMAKE_INSTALL_FULL_LIBEXECDIR
        CMAKE_INSTALL_FULL_SYSCONFDIR CMAKE_INSTALL_FULL_DOCDIR)
  vpnrun_absolute(${place})
endforeach()

set(VPNRUN_UNREAD "")
foreach(place VPNRUN_UNIT_DIR VPNRUN_USER_UNIT_DIR VPNRUN_SYSUSERS_DIR VPNRUN_TMPFILES_DIR VPNRUN_UDEV_RULES_DIR
        VPNRUN_NETWORK_DIR)
  set(full ${${place}})
  if(NOT IS_ABSOLUTE "${full}")
    set(full ${CMAKE_INSTALL_PREFIX}/${full})
  endif()
  set(${place}_FULL ${full})
  vpnrun_absolute(${place}_FULL)
  # systemd.unit(5), sysusers.d(5), tmpfiles.d(5), udev(7), systemd.network(5).
  if(NOT full MATCHES "^/(usr/lib|usr/local/lib|lib|etc|run)/")
    list(APPEND VPNRUN_UNREAD ${place})
  endif()
endforeach()
