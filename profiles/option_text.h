// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

// The same words about command lines, whoever parses them.
namespace vpnrun {

/// One line of a help text. A `left` that is wider than the column has `right` on the same line,
/// after a blank; no line ends in a blank.
[[nodiscard]] std::string option_row(std::string_view left, std::string_view right);

/// "; did you mean '--wait'?"; empty if `name` is.
[[nodiscard]] std::string did_you_mean(std::string_view name);

/// did_you_mean() of the one of `names` (long ones, with their dashes) that is near to `word`; what
/// follows a '=' does not count.
[[nodiscard]] std::string suggest_option(std::string_view word,
                                         std::span<const std::string_view> names);

}  // namespace vpnrun
