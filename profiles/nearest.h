// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vpnrun {

/// Number of insertions, deletions, replacements and swaps of neighbours that turn `left` into
/// `right` (optimal string alignment), in bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate that `word` was most likely meant to be: at most two edits away, and fewer than
/// `word` has bytes. Empty if there is none; the first of several that are equally near.
[[nodiscard]] std::string_view nearest_name(std::string_view word,
                                            std::span<const std::string_view> candidates);

}  // namespace vpnrun
