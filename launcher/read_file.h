// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace vpnrun {

/// The whole of `path`, symbolic links followed; nullopt if there is no such file. Throws Error if
/// it cannot be read, or is longer than `max_bytes` (EFBIG). For files that decide nothing about
/// privileges: neither owner nor mode is checked.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace vpnrun
