# SPDX-License-Identifier: GPL-2.0-or-later
# What was chosen, once, at the end of a configuration.
function(vpnrun_summary)
  foreach(part HELPER LAUNCHER LIBSTDCXX)
    set(word_${part} no)
    if(VPNRUN_STATIC_${part}_USED)
      set(word_${part} yes)
    endif()
    string(APPEND word_${part} " (${VPNRUN_STATIC_${part}})")
  endforeach()
  set(pages "no (VPNRUN_MAN=${VPNRUN_MAN})")
  if(SCDOC AND NOT VPNRUN_MAN STREQUAL "OFF")
    set(pages "by ${SCDOC}")
  endif()
  set(type "${CMAKE_BUILD_TYPE}")
  if(type STREQUAL "")
    set(type "none: not optimised, nothing fortified (-DCMAKE_BUILD_TYPE=Release is meant for use)")
  endif()
  set(lines "vpnrun ${PROJECT_VERSION}"
    "compiler        ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, for ${CMAKE_SYSTEM_PROCESSOR}"
    "build type      ${type}"
    "vpnrun-helper   ${VPNRUN_HELPER}, static: ${word_HELPER}"
    "vpnrun          static: ${word_LAUNCHER}"
    "vpnrun-tunnel   libstdc++ static: ${word_LIBSTDCXX}"
    "man pages       ${pages}"
    "programs        ${CMAKE_INSTALL_FULL_BINDIR}, ${CMAKE_INSTALL_FULL_LIBEXECDIR}/vpnrun"
    "configuration   ${CMAKE_INSTALL_FULL_SYSCONFDIR}/vpnrun"
    "units           ${VPNRUN_UNIT_DIR_FULL}, ${VPNRUN_USER_UNIT_DIR_FULL}")
  set(called "calls           ")
  foreach(program IN LISTS VPNRUN_PROGRAMS)
    string(REPLACE ";" " or " path "${${program}}")
    list(APPEND lines "${called}${path}")
    set(called "                ")
  endforeach()
  list(JOIN lines "\n--   " text)
  message(STATUS "${text}")
  if(VPNRUN_UNREAD)
    list(JOIN VPNRUN_UNREAD ", " unread)
    message(STATUS "  systemd and udev read nothing below ${CMAKE_INSTALL_PREFIX} by themselves. Link the files into /etc "
      "after the installation ('systemctl link' for units), or set absolute folders: ${unread}")
  endif()
endfunction()
vpnrun_summary()
