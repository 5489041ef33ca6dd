// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vpnrun::service {

/// One line of /proc/self/mountinfo, see proc_pid_mountinfo(5).
struct Mount {
  std::uint64_t id = 0;  ///< as stx_mnt_id of statx(2)
  std::string root;      ///< of the mount, within its file system; "…//deleted" if removed
  std::string point;     ///< where it is mounted
  std::string type;      ///< of the file system
  std::string source;
  std::string options;  ///< of the file system, separated by commas
};

/// Whether it is an automounter's folder with an indirect map: the automounter looks up every name
/// that is touched in it. See autofs(5) and the kernel's autofs.rst.
[[nodiscard]] bool is_indirect_automount(const Mount& mount);

/// All mounts that the calling process sees, in the order in which they were made.
[[nodiscard]] std::vector<Mount> mount_table();

/// The mounts of file systems of this type.
[[nodiscard]] std::vector<Mount> mounts_of_type(const std::string& type);

/// The mounts below `folder`, whose path must contain nothing that mountinfo escapes: no space,
/// tab, newline or backslash.
[[nodiscard]] std::vector<Mount> mounts_below(const std::string& folder);

/// Mount points directly or indirectly below `folder` (see above), each once, without those below
/// another one, which a recursive bind takes along.
[[nodiscard]] std::vector<std::string> topmost_mounts_below(const std::string& folder);

}  // namespace vpnrun::service
