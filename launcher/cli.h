// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vpnrun {

/// How much a program says on standard error.
enum class Verbosity : std::uint8_t {
  kQuiet,    ///< errors only
  kNormal,   ///< errors, warnings, progress on a terminal
  kVerbose,  ///< every step, too
};

/// How long a tunnel is waited for if --wait does not say otherwise.
constexpr std::chrono::milliseconds kDefaultPatience{30'000};

/// What `vpnrun` was asked to do.
struct LaunchOptions {
  std::string profile;  ///< empty: not given
  std::chrono::milliseconds patience = kDefaultPatience;
  bool start_tunnel = true;  ///< false: --no-start
  bool strict = false;       ///< refuse what otherwise only causes a warning
  bool force = false;        ///< start although a program outside would do the work
  Verbosity verbosity = Verbosity::kNormal;
  char* const* command = nullptr;  ///< into argv, null-terminated, at least one word
};

/// --help and --version: printed to standard output, line end included.
struct Information {
  std::string text;
};

/// Parses the command line of `vpnrun`. The first word that is not an option, or the word after
/// `--`, starts the command; nothing from there on is looked at. `argv` is null-terminated and
/// outlives the result. Throws Error, with a hint, for anything that is not understood.
[[nodiscard]] std::variant<LaunchOptions, Information> parse_launch(int argc, char* const* argv);

/// "30", "0.5": seconds, 0 to 86400, rounded to milliseconds. Throws Error naming `text`.
[[nodiscard]] std::chrono::milliseconds parse_patience(std::string_view text);

}  // namespace vpnrun
