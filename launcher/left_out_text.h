// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "profiles/protocol/status.h"

namespace vpnrun {

/// What a person is told of Status::left_out when the tunnel comes up; without control characters.
struct LeftOutText {
  std::string note;     ///< what was left out; empty: nothing that a person has to know
  std::string warning;  ///< what does not happen although it was wanted; empty: nothing
};

[[nodiscard]] LeftOutText left_out_text(const Status& status);

}  // namespace vpnrun
