// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

// Places for mounts, and single files bound to them. All throw Error.
namespace vpnrun::service {

/// A folder, 0755 whatever the umask. One that is there already is kept.
void make_folder(const std::string& path);

/// An empty file, or one that is there already; a symbolic link is refused.
void make_mount_point(const std::string& path);

/// Binds `source` to the file `target`, which is made for it.
void bind_file(const std::string& source, const std::string& target);

/// Removes every mount on `path`, in use or not (MNT_DETACH). It is not an error if there is none.
void unmount_all(const std::string& path);

}  // namespace vpnrun::service
