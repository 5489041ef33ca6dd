# SPDX-License-Identifier: GPL-2.0-or-later
# Run by cpack on the finished package: packed again by dpkg's own tool. cpack writes the builder's umask
# into the archive, and compresses less.
foreach(package ${CPACK_PACKAGE_FILES})
  set(folder ${CPACK_TOPLEVEL_DIRECTORY}/repack)
  file(REMOVE_RECURSE ${folder})
  foreach(command
      "dpkg-deb;--raw-extract;${package};${folder}"
      "chmod;0755;${folder};${folder}/DEBIAN"
      "find;${folder};-exec;touch;--no-dereference;--date=@${CPACK_VPNRUN_DATE};{};+"
      "dpkg-deb;--root-owner-group;-Zxz;--build;${folder};${package}")
    execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
  endforeach()
endforeach()
