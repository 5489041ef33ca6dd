// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/name.h"

#include <algorithm>

namespace vpnrun {
namespace {

constexpr bool is_lower_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_valid_profile_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kProfileNameMax || !is_lower_or_digit(name.front())) {
    return false;
  }
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '_' || c == '-'; });
}

}  // namespace vpnrun
