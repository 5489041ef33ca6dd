// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/format.h"

namespace vpnrun {

std::string formatted_with(fmt::string_view format, fmt::format_args args) {
  return fmt::vformat(format, args);
}

}  // namespace vpnrun
