# SPDX-License-Identifier: GPL-2.0-or-later
# Run by cpack between installation and packing: adds what Debian wants in a package and an installation
# lacks. Compressed without name and date, all files with the date of the sources: the same sources
# make the same bytes.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(share ${root}/usr/share)
set(package ${CPACK_VPNRUN_SOURCE}/systemd/package)

# take(FILE FOLDER NAME)
function(take file folder name)
  file(MAKE_DIRECTORY ${folder})
  configure_file(${file} ${folder}/${name} COPYONLY NO_SOURCE_PERMISSIONS)
endfunction()
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

take(${package}/copyright ${share}/doc/vpnrun copyright)
take(${CPACK_VPNRUN_SOURCE}/README.md ${share}/doc/vpnrun README.md)
take(${CPACK_VPNRUN_SOURCE}/helper/THREAT_MODEL.md ${share}/doc/vpnrun/helper THREAT_MODEL.md)
take(${CPACK_VPNRUN_SOURCE}/CHANGELOG.md ${share}/doc/vpnrun changelog)
take(${CPACK_VPNRUN_CHANGELOG} ${share}/doc/vpnrun changelog.Debian)
take(${package}/lintian-overrides ${share}/lintian/overrides vpnrun)

file(GLOB_RECURSE pages ${share}/man/*)
run(gzip -9n ${share}/doc/vpnrun/changelog ${share}/doc/vpnrun/changelog.Debian ${pages})
# Whatever the umask was.
run(find ${root} -type d -exec chmod 0755 {} +)
run(find ${root} -exec touch --no-dereference --date=@${CPACK_VPNRUN_DATE} {} +)
