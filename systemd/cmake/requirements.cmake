# SPDX-License-Identifier: GPL-2.0-or-later
# What building needs, with the oldest version that is known to work: that of Debian 12, as a rule. What
# running needs: README.md, "Requirements"; the kernel is checked when vpnrun-tunnel starts.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "vpnrun is for Linux: it works with namespaces, netlink and nftables")
endif()
if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  # The filter of applications is written and tested for 64-bit kernels' system calls.
  message(FATAL_ERROR "vpnrun is for 64-bit machines only; the compiler makes "
    "${CMAKE_CXX_COMPILER_TARGET}${CMAKE_LIBRARY_ARCHITECTURE} programs with pointers of ${CMAKE_SIZEOF_VOID_P} bytes")
endif()
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR "this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}: GCC 12 or clang 14 are the oldest "
    "that work (-DCMAKE_CXX_COMPILER=…)")
endif()

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_QUIET ON)
# Its sys/mount.h has move_mount(2) and mount_setattr(2).
check_cxx_source_compiles("#include <features.h>
  #if !__GLIBC_PREREQ(2, 36)
  #error
  #endif
  int main() { return 0; }" VPNRUN_HAVE_GLIBC)
unset(CMAKE_REQUIRED_QUIET)
if(NOT VPNRUN_HAVE_GLIBC)
  message(FATAL_ERROR "glibc 2.36 or later is needed, or this compiler does not work: see CMakeFiles/CMakeError.log, "
    "CMakeFiles/CMakeConfigureLog.yaml")
endif()

find_package(PkgConfig REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-3.0>=3.7 libnl-route-3.0>=3.7)
pkg_check_modules(LIBNFTABLES REQUIRED IMPORTED_TARGET libnftables>=1.0.6)
pkg_check_modules(LIBSECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5.4)
pkg_check_modules(LIBACL REQUIRED IMPORTED_TARGET libacl>=2.3)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus>=3.3)
