// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <fmt/format.h>

namespace vpnrun {

/// fmt::vformat, compiled once.
[[nodiscard]] std::string formatted_with(fmt::string_view format, fmt::format_args args);

/// fmt::format, whose format string is checked at compile time as well. {fmt} is used as headers,
/// and a call of its own function compiles all of it, numbers with a fraction included, into every
/// source file anew: more than half of the time that the whole takes.
template <class... Args>
[[nodiscard]] std::string formatted(fmt::format_string<Args...> format, const Args&... args) {
  return formatted_with(format, fmt::make_format_args(args...));
}

}  // namespace vpnrun
