// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "launcher/cli.h"
#include "profiles/profile.h"

namespace vpnrun {

enum class Verb : std::uint8_t {
  kList,
  kStatus,
  kUp,
  kDown,
  kRestart,
  kProcesses,
  kLog,
  kInbound,
  kAttach,
  kDetach
};

/// What `vpnrunctl` was asked to do.
struct CtlOptions {
  Verb verb = Verb::kList;
  std::string profile;  ///< a valid name, or empty: all (kStatus, kProcesses), the only one (kLog)
  bool json = false;
  std::vector<std::string> units;  ///< kAttach, kDetach; none with kAttach: show what is attached
  std::vector<std::string> run_paths;  ///< kAttach
  bool user = false;                   ///< kAttach, kDetach: a unit of the caller's
  bool now = false;                    ///< kAttach, kDetach: restart the unit
  bool force = false;                  ///< kAttach: whatever it cuts off
  bool follow = false;                 ///< kLog
  std::string action;                  ///< kInbound: "list", "add" or "remove"
  std::vector<profile::Port> ports;    ///< kInbound with "add" and "remove"
  std::string lines;                   ///< kLog: a number, "all", or empty: as many as usual
  std::chrono::milliseconds patience = kDefaultPatience;
  Verbosity verbosity = Verbosity::kNormal;
};

/// Parses the command line of `vpnrunctl`. Throws Error, with a hint, for anything that is not
/// understood, an invalid profile name included.
[[nodiscard]] std::variant<CtlOptions, Information> parse_ctl(int argc, const char* const* argv);

}  // namespace vpnrun
