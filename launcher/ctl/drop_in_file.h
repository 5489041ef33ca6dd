// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vpnrun {

/// Our drop-in for the unit `id`: `UNIT_FOLDER/ID.d/zz-vpnrun.conf`
[[nodiscard]] std::string drop_in_path(const std::string& unit_folder, const std::string& id);

/// The first line of a drop-in: who wrote it, how it is removed, and for which profile. Without
/// line end. `options` is "" or "--user ".
[[nodiscard]] std::string drop_in_mark(const std::string& id, const std::string& profile,
                                       const std::string& options);

/// The text of the drop-in at `path`; nullopt if there is none. Throws Error if it cannot be read,
/// or is somebody else's.
[[nodiscard]] std::optional<std::string> read_drop_in(const std::string& path);

/// Writes `text` to `path`, mode 0644, by a temporary file and rename(2); its folder is made, mode
/// 0755. systemd reads the old file or the new one. Throws Error; there is no change then.
void write_drop_in(const std::string& path, const std::string& text);

/// Removes `path`, and its folder if nothing else is in it. Throws Error.
void remove_drop_in(const std::string& path);

struct AttachedUnit {
  std::string id;
  std::string profile;
  std::string file;
};

/// The units with a drop-in of ours below `unit_folder`, by name.
[[nodiscard]] std::vector<AttachedUnit> attached_units(const std::string& unit_folder);

}  // namespace vpnrun
