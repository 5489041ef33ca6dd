// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "profiles/toml_library.h"

// The one door to the TOML library, and how messages show a place in a file.
namespace vpnrun {

/// The tree of `text`. Throws Error "PATH:LINE:COLUMN: not valid TOML: …" that quotes the line.
///
/// Stricter than TOML 1.0 in one point: in a string in three double quotes, no character beyond
/// ASCII may be the first after a '\' that ends a line. The library's answer to whether such a
/// character is a blank is undefined (true of its versions 3.3 and 3.4).
[[nodiscard]] toml::table parse_toml(std::string_view text, const std::string& path);

/// Throws Error "PATH:LINE:COLUMN: `message`".
[[noreturn]] void fail_at(const std::string& path, const toml::source_position& where,
                          std::string_view message, std::string hint = {});

/// What `text` has at `region`, shortened, fit for a message.
[[nodiscard]] std::string excerpt(std::string_view text, const toml::source_region& region);

}  // namespace vpnrun
