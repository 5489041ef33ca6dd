// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "launcher/places.h"

namespace vpnrun {

struct ProcessFacts {
  pid_t pid = 0;
  uid_t uid = 0;        ///< effective
  std::string user;     ///< its name; the number if it has none
  std::string command;  ///< arguments joined by spaces; the kernel's name for it if it has none
};

struct ProcessList {
  std::vector<ProcessFacts> processes;  ///< by pid
  std::size_t hidden = 0;  ///< processes whose namespace the caller may not see (ptrace(2), access)
};

/// The network namespace of `profile`. Throws Error if the profile is absent or closed to the
/// caller.
[[nodiscard]] FileId netns_of(const Places& places, const std::string& profile);

/// The processes whose network namespace is `netns`, by the procfs at `proc`. A process that goes
/// while it is looked at is left out. See proc(5), namespaces(7).
[[nodiscard]] ProcessList processes_in(const FileId& netns, const std::string& proc = "/proc");

}  // namespace vpnrun
