// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vpnrun {

/// A `config.toml` of the user or of the administrator: which profile is for what.
///
///   default = "work"
///   [apps]
///   firefox = "home"
struct UserConfig {
  std::string default_profile;              ///< empty: not set
  std::map<std::string, std::string> apps;  ///< last component of the command → profile
};

/// Parses TOML 1.0. Throws Error "PATH:LINE:COLUMN: …" for malformed text, an unknown key, a value
/// that is not a string or not a profile name. `path` is for messages only.
[[nodiscard]] UserConfig parse_user_config(std::string_view text, const std::string& path);

/// Reads `path`; nullopt if there is no such file. Throws Error if it cannot be read or parsed: to
/// go on without it could choose another profile than the user wrote down.
[[nodiscard]] std::optional<UserConfig> load_user_config(const std::string& path);

/// `$XDG_CONFIG_HOME/vpnrun/config.toml`, or `$HOME/.config/…`; empty if neither variable holds an
/// absolute path (XDG Base Directory Specification). The arguments may be null.
[[nodiscard]] std::string user_config_path(const char* xdg_config_home, const char* home);

}  // namespace vpnrun
