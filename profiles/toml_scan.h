// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vpnrun {

struct MisplacedCharacter {
  std::size_t offset = 0;  // of its first byte
  bool in_string = false;  // after a '\' in a string in three double quotes
};

/// The first byte beyond ASCII of the TOML text `text` that is neither in a comment nor plain
/// content of a string: TOML 1.0 allows none there, and the library's behaviour is undefined if it
/// comes upon one. nullopt if there is none, or if a string that does not end stands before it,
/// which the library refuses by itself. Reads bytes; UTF-8 that is malformed is the library's to
/// refuse.
[[nodiscard]] std::optional<MisplacedCharacter> find_misplaced(std::string_view text);

/// Offset of the text after a byte order mark, which the library skips.
[[nodiscard]] std::size_t toml_start(std::string_view text) noexcept;

}  // namespace vpnrun
