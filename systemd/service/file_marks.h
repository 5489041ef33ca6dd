// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "helper/base/runtime_layout.h"

namespace vpnrun::service {

/// What a file was like: enough to see that it has been written, replaced, removed or made since
/// (stat(2)). Only a change within the same tick of the file system's clock goes unnoticed.
struct FileMark {
  std::string path;
  bool is_there = false;
  FileId id;
  std::int64_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds since the epoch
  std::int64_t changed = 0;   ///< the same, of its owner and mode as well
  friend bool operator==(const FileMark&, const FileMark&) = default;
};

/// Of `path` itself, not of what a link leads to. Opens nothing. To be taken before the file is
/// read: what is written meanwhile is then seen as a change.
[[nodiscard]] FileMark mark_of(const std::string& path);

/// Whether any of the files is no longer as it was marked.
[[nodiscard]] bool have_changed(const std::vector<FileMark>& marks);

/// The first folder on the way to `path`, absolute, that is not the machine's own here: the unit
/// that this process is confined by shows another in its place, or none (ProtectHome=, PrivateTmp=,
/// InaccessiblePaths= in systemd.exec(5)). Empty: there is none, or that cannot be told.
/// `machine_root` is where the machine's own files are.
[[nodiscard]] std::string hidden_folder(const std::string& path,
                                        const std::string& machine_root = "/proc/1/root");

}  // namespace vpnrun::service
