// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/option_text.h"

#include <cstddef>

#include "profiles/base/error.h"
#include "profiles/nearest.h"

namespace vpnrun {
namespace {

constexpr std::size_t kColumn = 30;

}  // namespace

std::string option_row(std::string_view left, std::string_view right) {
  std::string result = "  " + std::string(left);
  if (!right.empty()) {
    result.append(result.size() < kColumn ? kColumn - result.size() : 1, ' ');
    result += right;
  }
  return result + "\n";
}

std::string did_you_mean(std::string_view name) {
  return name.empty() ? std::string() : formatted("; did you mean '{}'?", name);
}

std::string suggest_option(std::string_view word, std::span<const std::string_view> names) {
  word = word.substr(0, word.find('='));
  return word.starts_with("--") ? did_you_mean(nearest_name(word, names))
                                : std::string();  // one letter is near to every other
}

}  // namespace vpnrun
