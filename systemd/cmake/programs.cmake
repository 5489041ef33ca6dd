# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of others that vpnrun calls: what it is compiled with (profiles/programs.cc), and what units and
# man pages say. The defaults are those of the file system hierarchy and do not depend on what the machine
# has that builds. Also run alone, as a test does: cmake -DVPNRUN_OPENVPN=… -P systemd/cmake/programs.cmake
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
endif()

# What may stand in a unit, a shell script, a man page and a C string as it is.
set(VPNRUN_PATH_PATTERN "^(/[A-Za-z0-9@_.+~-]+)+$")

# vpnrun_absolute(VARIABLE): each path of the list in it has to be one, without "..".
function(vpnrun_absolute variable)
  if("${${variable}}" STREQUAL "")
    message(FATAL_ERROR "${variable} is empty: an absolute path is needed")
  endif()
  foreach(path IN LISTS ${variable})
    if(NOT path MATCHES "${VPNRUN_PATH_PATTERN}" OR path MATCHES "/\\.\\.?(/|$)")
      message(FATAL_ERROR "${variable} has '${path}': only an absolute path of the letters A-Z a-z 0-9 @ _ . + ~ - "
        "will do, without '.' and '..'. Programs are never looked for in PATH.")
    endif()
  endforeach()
endfunction()

# vpnrun_program(VARIABLE DEFAULT WHAT): of type STRING, because cmake would make a relative FILEPATH absolute,
# below the folder that it was called from.
set(VPNRUN_PROGRAMS "")
function(vpnrun_program variable default what)
  set(${variable} "${default}" CACHE STRING "${what}")
  vpnrun_absolute(${variable})
  if(NOT variable STREQUAL "VPNRUN_OPENVPN" AND ${variable} MATCHES ";")
    message(FATAL_ERROR "${variable} is one path, not several: '${${variable}}'")
  endif()
  list(APPEND VPNRUN_PROGRAMS ${variable})
  set(VPNRUN_PROGRAMS ${VPNRUN_PROGRAMS} PARENT_SCOPE)
endfunction()

vpnrun_program(VPNRUN_OPENVPN "/usr/sbin/openvpn;/usr/local/sbin/openvpn;/usr/bin/openvpn"
  "openvpn; of several paths the first that is there when it is started")
vpnrun_program(VPNRUN_SYSTEMCTL /usr/bin/systemctl "systemctl")
vpnrun_program(VPNRUN_JOURNALCTL /usr/bin/journalctl "journalctl")
vpnrun_program(VPNRUN_SYSTEMD_ASK_PASSWORD /usr/bin/systemd-ask-password "systemd-ask-password")
vpnrun_program(VPNRUN_GETENT /usr/bin/getent "getent")
vpnrun_program(VPNRUN_KILL /bin/kill "kill, by which the unit passes a reload on")
vpnrun_program(VPNRUN_NOLOGIN /usr/sbin/nologin "the shell of accounts that nobody logs in to")

set(VPNRUN_PATH "/usr/sbin:/usr/bin:/sbin:/bin" CACHE STRING "where hooks find programs (their PATH)")
string(REPLACE ":" ";" folders "${VPNRUN_PATH}")
set(VPNRUN_PATH_FOLDERS "${folders}")
vpnrun_absolute(VPNRUN_PATH_FOLDERS)
if(VPNRUN_PATH MATCHES "^:|::|:$|;")  # an empty folder is the current one
  message(FATAL_ERROR "VPNRUN_PATH is '${VPNRUN_PATH}': folders with ':' between, none of them empty")
endif()

# What profiles/programs.cc is compiled with: a string each; of several paths with ':' between.
set(VPNRUN_PROGRAM_DEFINITIONS "")
foreach(variable IN LISTS VPNRUN_PROGRAMS ITEMS VPNRUN_PATH)
  string(REPLACE ";" ":" value "${${variable}}")
  list(APPEND VPNRUN_PROGRAM_DEFINITIONS "${variable}=\"${value}\"")
endforeach()
