// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "launcher/cli.h"

namespace vpnrun {

enum class Verb : std::uint8_t {
  kList,
  kStatus,
  kUp,
  kDown,
  kRestart,
  kProcesses,
  kLog,
  kAttach,
  kDetach
};

/// What `vpnrunctl` was asked to do.
struct CtlOptions {
  Verb verb = Verb::kList;
  std::string profile;  ///< a valid name, or empty: all (kStatus, kProcesses)
  bool json = false;
  std::string unit;  ///< kAttach, kDetach; empty with kAttach: show what is attached
  std::vector<std::string> run_paths;  ///< kAttach
  bool user = false;                   ///< kAttach, kDetach: a unit of the caller's
  bool now = false;                    ///< kAttach, kDetach: restart the unit
  bool follow = false;                 ///< kLog
  std::string lines;                   ///< kLog: a number, "all", or empty: as many as usual
  std::chrono::milliseconds patience = kDefaultPatience;
  Verbosity verbosity = Verbosity::kNormal;
};

/// Parses the command line of `vpnrunctl`. Throws Error, with a hint, for anything that is not
/// understood, an invalid profile name included.
[[nodiscard]] std::variant<CtlOptions, Information> parse_ctl(int argc, const char* const* argv);

}  // namespace vpnrun
