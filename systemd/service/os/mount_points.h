// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

// Mount points, and single files bound to them. All throw Error.
namespace vpnrun::service {

/// Makes a folder, or keeps an existing one; its mode is 0755 then, whatever the umask.
void make_folder(const std::string& path);

/// Makes an empty file, or keeps an existing one; a symbolic link is refused.
void make_mount_point(const std::string& path);

/// Binds `source` to the file `target`, which it makes.
void bind_file(const std::string& source, const std::string& target);

/// Removes every mount on `path`, in use or not (MNT_DETACH). It is not an error if there is none.
void unmount_all(const std::string& path);

}  // namespace vpnrun::service
