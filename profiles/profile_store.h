// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/profile.h"

namespace vpnrun::profile {

/// What the name of a profile's file ends with.
constexpr std::string_view kProfileSuffix = ".toml";

/// Who must own a file that privileged code acts upon. For a process that does not run as root its
/// own effective user counts as root: it acts with no more than that user's rights.
enum class Trust : std::uint8_t {
  kRootOwned,  ///< the file and its folder belong to root and nobody else can write to them
  kAnyOwner,   ///< for showing only
  kSecret,     ///< like kRootOwned, and neither group nor others can read the file
};

/// Called for the open file, before anything of it is read; throws Error if the file may not be
/// used.
using FileCheck = std::function<void(const struct stat& status)>;

/// Reads the whole of `path` (at most `max_bytes`), opened once with O_NOFOLLOW for the last
/// component, a regular file, its owner and mode checked on the open descriptor. Anything else is
/// not opened at all: opening a device or a FIFO can do something by itself. Except for kAnyOwner
/// the path is walked step by step from the root directory: no symbolic link, and each folder
/// belongs to root and nobody else can write to it, or it is sticky and not the last. Throws Error
/// with the code and a hint: ENOENT, ELOOP for a symbolic link, EINVAL if not a regular file, EPERM
/// with the offending owner or mode and cure(), EFBIG. See open(2).
[[nodiscard]] std::string read_trusted_file(const std::string& path, Trust trust,
                                            std::size_t max_bytes = 1U << 20U,
                                            const FileCheck& check = {});

/// The hint about a `path` that has the wrong owner or mode: `command` for it if it lies in a
/// folder of vpnrun's own (SYSCONFDIR/vpnrun, /run/vpnrun). About any other file, whose owner and
/// mode may be right for what it is there for, vpnrun gives no such advice.
[[nodiscard]] std::string cure(std::string_view command, const std::string& path);

/// If `line` of a profile's [hooks] begins with the absolute path of a program: throws Error, as
/// above, if anybody but root can change that program, or what the path leads to. Symbolic links
/// are followed; a program that is not there is left to the shell.
void check_hook(const std::string& line);

/// `FOLDER/NAME.toml`, read and parsed. `folder` is normally default_profile_folder(). Throws
/// Error; for a name that does not exist the hint names the nearest existing profile.
[[nodiscard]] Profile load_profile(const std::string& folder, const std::string& name, Trust trust);

/// Names of the profiles in `folder`, sorted; empty if the folder is absent or unreadable.
[[nodiscard]] std::vector<std::string> list_profiles(const std::string& folder);

/// SYSCONFDIR/vpnrun/profiles, as configured at build time.
[[nodiscard]] std::string default_profile_folder();

}  // namespace vpnrun::profile
