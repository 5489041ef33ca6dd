// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace vpnrun {

/// Longest profile name in bytes.
constexpr std::size_t kProfileNameMax = 32;

/// Whether `name` is `[a-z0-9][a-z0-9_-]{0,31}`.
///
/// The one validator of all programs: a valid name has no '/', no '.', no control character and
/// no leading '-', so it is safe as a path component, a unit instance and a command argument.
/// Compares bytes; no locale is consulted.
[[nodiscard]] bool is_valid_profile_name(std::string_view name) noexcept;

}  // namespace vpnrun
