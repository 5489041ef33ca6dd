// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vpnrun {

/// The code point that starts at `text[position]`; `position` is moved past it. nullopt, and
/// `position` one byte further, if no well-formed sequence starts there (RFC 3629: no overlong
/// form, no surrogate, nothing above U+10FFFF).
[[nodiscard]] std::optional<char32_t> decode_utf8(std::string_view text,
                                                  std::size_t& position) noexcept;

/// Whether a terminal or a reader can be misled by `point`: C0, DEL and C1 controls, line and
/// paragraph separators, and the marks that turn the direction of writing.
[[nodiscard]] bool is_control(char32_t point) noexcept;

/// Offset of the first byte of `text` that is not well-formed UTF-8, or is a control character;
/// npos if there is none.
[[nodiscard]] std::size_t find_unprintable(std::string_view text) noexcept;

}  // namespace vpnrun
