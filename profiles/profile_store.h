// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace vpnrun::profile {

/// Who must own a file that privileged code acts upon. For a process that does not run as root its
/// own effective user counts as root: it acts with no more than that user's rights.
enum class Trust : std::uint8_t {
  kRootOwned,  ///< the file and its folder belong to root and nobody else can write to them
  kAnyOwner,   ///< for showing only
  kSecret,     ///< like kRootOwned, and neither group nor others can read the file
};

/// Reads the whole of `path` (at most `max_bytes`), opened once with O_NOFOLLOW for the last
/// component, a regular file, its owner and mode checked on the open descriptor, and those of its
/// folder on the descriptor through which it was opened (symbolic links on the way to the folder
/// are followed: what counts is where they lead). Throws Error with the code and a hint: ENOENT,
/// ELOOP for a symbolic link, EINVAL for no regular file, EPERM with the offending owner or mode
/// and the chmod/chown that cures it, EFBIG. See open(2).
[[nodiscard]] std::string read_trusted_file(const std::string& path, Trust trust,
                                            std::size_t max_bytes = 1U << 20U);

/// `FOLDER/NAME.toml`, read and parsed. `folder` is normally default_profile_folder(). Throws
/// Error; for a name that does not exist the hint names the nearest existing profile.
[[nodiscard]] Profile load_profile(const std::string& folder, const std::string& name, Trust trust);

/// Names of the profiles in `folder`, sorted; empty if the folder is absent or unreadable.
[[nodiscard]] std::vector<std::string> list_profiles(const std::string& folder);

/// SYSCONFDIR/vpnrun/profiles, as configured at build time.
[[nodiscard]] std::string default_profile_folder();

}  // namespace vpnrun::profile
