// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "profiles/profile.h"

namespace vpnrun::profile {

/// Parses the text of one profile (TOML 1.0).
///
/// `path` is used in messages and to make `[tunnel] config` and `credentials` absolute (they are
/// relative to its folder). No file is opened. Throws Error whose text is
/// "FILE:LINE:COLUMN: …" and names the offending text, the allowed values, and for an unknown key
/// the nearest known one; nothing is ever half applied.
[[nodiscard]] Profile parse_profile(std::string_view text, const std::string& name,
                                    const std::string& path);

}  // namespace vpnrun::profile
