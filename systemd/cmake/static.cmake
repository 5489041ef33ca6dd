# SPDX-License-Identifier: GPL-2.0-or-later
# What is linked statically, program by program. Each is AUTO (where this toolchain can), ON (or it is an error) or
# OFF. Some distributions have no libc.a, or no libstdc++.a, unless asked (Fedora: glibc-static, libstdc++-static).
#
#   VPNRUN_STATIC_HELPER     vpnrun-helper: nothing is loaded into it that a caller could lead astray. Otherwise
#                            libc is, alone.
#   VPNRUN_STATIC_LAUNCHER   vpnrun: starts in half the time
#   VPNRUN_STATIC_LIBSTDCXX  the C++ library in vpnrun-tunnel: less memory
#
# Afterwards the variables of the same names with _USED are TRUE or FALSE, in the cache for the tests.
# A build with sanitizers has its own ideas of linking, and nothing of this.
include(CheckCXXSourceCompiles)

# vpnrun_static(VARIABLE WHAT PACKAGES SOURCE LINK-OPTION…): by what really is going to be linked.
function(vpnrun_static variable what packages source)
  set(${variable} AUTO CACHE STRING "link ${what} statically: AUTO, ON, OFF")
  set_property(CACHE ${variable} PROPERTY STRINGS AUTO ON OFF)
  if(NOT ${variable} MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "${variable} is AUTO, ON or OFF, not '${${variable}}'")
  endif()
  set(used FALSE)
  if(NOT ${variable} STREQUAL "OFF" AND NOT VPNRUN_SANITIZE)
    set(CMAKE_REQUIRED_FLAGS -fPIE)
    if("-no-pie" IN_LIST ARGN)
      set(CMAKE_REQUIRED_FLAGS "")
    endif()
    set(CMAKE_REQUIRED_LINK_OPTIONS ${ARGN})
    check_cxx_source_compiles("${source}" ${variable}_POSSIBLE)
    if(${variable}_POSSIBLE)
      set(used TRUE)
    else()
      unset(${variable}_POSSIBLE CACHE)  # to be looked at again once the library is installed
    endif()
  endif()
  if(${variable} STREQUAL "ON" AND NOT used AND NOT VPNRUN_SANITIZE)
    list(JOIN ARGN " " options)
    message(FATAL_ERROR "${variable}=ON, but ${CMAKE_CXX_COMPILER} links nothing with ${options} here: "
      "install ${packages}, or set ${variable}=OFF")
  endif()
  set(${variable}_USED ${used} CACHE INTERNAL "")
endfunction()

set(text "#include <string>
  int main(int, char** words) { return std::string(*words).empty() ? 1 : 0; }")
# Its own code has nothing of the C++ library (tests/unit/helper_edges_test.sh), but the compiler asks for it.
vpnrun_static(VPNRUN_STATIC_HELPER "vpnrun-helper" "a static libc and libstdc++ (Fedora: glibc-static libstdc++-static)"
  "int main() { return 0; }" -static-pie)
vpnrun_static(VPNRUN_STATIC_LAUNCHER "vpnrun" "a static libc and libstdc++ (Fedora: glibc-static libstdc++-static)"
  "${text}" -static -no-pie)
vpnrun_static(VPNRUN_STATIC_LIBSTDCXX "the C++ library of vpnrun-tunnel"
  "a static libstdc++ (Fedora: libstdc++-static)" "${text}" -static-libstdc++ -static-libgcc)
