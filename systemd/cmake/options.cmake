# SPDX-License-Identifier: GPL-2.0-or-later
# Warnings, hardening and paths for every target of this project, and man_page().
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

target_include_directories(vpnrun_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(vpnrun_options INTERFACE
  VPNRUN_VERSION="${PROJECT_VERSION}"
  VPNRUN_SYSCONFDIR="${CMAKE_INSTALL_FULL_SYSCONFDIR}"
  VPNRUN_LIBEXECDIR="${CMAKE_INSTALL_FULL_LIBEXECDIR}/vpnrun")

# The date of man pages and package: the environment's, or the last commit's, or that of the sources.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct
                  OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    file(TIMESTAMP ${CMAKE_SOURCE_DIR}/CHANGELOG.md date %s UTC)
  endif()
  set(ENV{SOURCE_DATE_EPOCH} ${date})
endif()
set(VPNRUN_DATE $ENV{SOURCE_DATE_EPOCH})

# A release is the same bytes whatever folder it was built in.
target_compile_options(vpnrun_options INTERFACE
  $<$<CONFIG:Release>:-ffile-prefix-map=${CMAKE_BINARY_DIR}=build>
  $<$<CONFIG:Release>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.>)

# Adds each flag that this compiler takes to `target`.
function(vpnrun_add_flags target)
  foreach(flag ${ARGN})
    string(MAKE_C_IDENTIFIER "HAVE${flag}" variable)
    check_cxx_compiler_flag("-Werror ${flag}" ${variable})
    if(${variable})
      target_compile_options(${target} INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${flag}>)
    endif()
  endforeach()
endfunction()

# Has each call with a buffer checked, where the compiler optimises: otherwise glibc only complains. The level is ours
# whatever the packager's flags (dpkg-buildflags: 2) or the compiler's own default are, so it stands behind them and
# takes them back first.
function(vpnrun_fortify target)
  foreach(type IN LISTS CMAKE_BUILD_TYPE CMAKE_CONFIGURATION_TYPES ITEMS "")
    string(TOUPPER "${type}" upper)
    string(REGEX MATCHALL "(^| )-O[^ ]*" levels "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${upper}}")
    list(POP_BACK levels level)
    set(options -U_FORTIFY_SOURCE)
    if(level AND NOT level MATCHES "-O0")
      list(APPEND options -D_FORTIFY_SOURCE=3)
    endif()
    foreach(option IN LISTS options)
      target_compile_options(${target} INTERFACE $<$<CONFIG:${type}>:${option}>)
    endforeach()
  endforeach()
endfunction()

# Without -Wnull-dereference: gcc's speaks of paths that cannot be taken, inside of whatever library was
# inlined, and of others at each -O. clang-tidy's analyzer asks the same and knows the paths.
vpnrun_add_flags(vpnrun_options
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wcast-align -Wformat=2 -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wextra-semi -Wdouble-promotion -Wsuggest-override
  -Wduplicated-cond -Wlogical-op -Wuseless-cast)
if(VPNRUN_WERROR)
  target_compile_options(vpnrun_options INTERFACE -Werror)
endif()

if(VPNRUN_SANITIZE)
  # The checks of undefined behaviour are for what is tested. In what GoogleTest's macros become they would
  # be a third of the time that everything takes to compile.
  set(tests ${CMAKE_SOURCE_DIR}/tests/unit ${CMAKE_SOURCE_DIR}/tests/netns)
  target_compile_options(vpnrun_options INTERFACE -fsanitize=${VPNRUN_SANITIZE}
    $<$<IN_LIST:$<TARGET_PROPERTY:SOURCE_DIR>,${tests}>:-fno-sanitize=undefined>
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(vpnrun_options INTERFACE -fsanitize=${VPNRUN_SANITIZE})
else()
  vpnrun_add_flags(vpnrun_options
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard
    -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr)
  target_compile_definitions(vpnrun_options INTERFACE _GLIBCXX_ASSERTIONS)
  vpnrun_fortify(vpnrun_options)
  target_link_options(vpnrun_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

if(VPNRUN_FUZZ)
  # Counts what runs; the loop that does something with it comes with the harnesses alone.
  target_compile_options(vpnrun_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# For what starts often: small, and nothing in it that no code leads to. Debug builds stay as they are.
add_library(vpnrun_small INTERFACE)
target_compile_options(vpnrun_small INTERFACE
  -ffunction-sections -fdata-sections $<$<CONFIG:Release>:-Os>)

# spdlog as headers, with {fmt} as headers: a launch pays for every shared library, and spdlog's own
# target would ask for {fmt}'s.
add_library(vpnrun_spdlog INTERFACE)
target_include_directories(vpnrun_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(vpnrun_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(vpnrun_spdlog INTERFACE fmt::fmt-header-only)

find_program(SCDOC scdoc)
if(VPNRUN_MAN STREQUAL "ON" AND NOT SCDOC)
  message(FATAL_ERROR "VPNRUN_MAN=ON needs scdoc")
endif()

# In man pages, where '_' and '*' mean something.
foreach(place SYSCONFDIR LIBEXECDIR DOCDIR DATADIR)
  string(REGEX REPLACE "([_*])" "\\\\\\1" MAN_${place} "${CMAKE_INSTALL_FULL_${place}}")
endforeach()
string(REGEX REPLACE "([_*])" "\\\\\\1" MAN_NOLOGIN "${VPNRUN_NOLOGIN}")

# man_page(vpnrun.1.scd): with this installation's places in it, built by scdoc and installed, if wanted and possible.
function(man_page source)
  if(VPNRUN_MAN STREQUAL "OFF" OR NOT SCDOC)
    return()
  endif()
  foreach(place SYSCONFDIR LIBEXECDIR DOCDIR DATADIR NOLOGIN)
    set(${place} "${MAN_${place}}")
  endforeach()
  configure_file(${source} ${source} @ONLY)
  string(REGEX REPLACE "\\.scd$" "" page ${source})
  string(REGEX REPLACE ".*\\." "" section ${page})
  set(script ${CMAKE_SOURCE_DIR}/systemd/cmake/man_page.cmake)
  add_custom_command(OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${VPNRUN_DATE}
      ${CMAKE_COMMAND} -DSCDOC=${SCDOC} -DSOURCE=${source} -DPAGE=${page} -P ${script}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${source} ${script} VERBATIM)
  add_custom_target(man_${page} ALL DEPENDS ${page})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${page}
          DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()
