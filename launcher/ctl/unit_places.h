// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "profiles/programs.h"

namespace vpnrun {

/// Where `attach`, `detach` and `log` look and write. The defaults are a real machine's; tests make
/// their own.
struct UnitPlaces {
  std::string system_units = "/etc/systemd/system";  ///< the administrator's units
  std::string etc = "/etc";
  std::string netns_etc = "/etc/netns";  ///< ip-netns(8)
  std::string var_run = "/var/run";
  std::string systemctl = kSystemctl;
  std::string journalctl = kJournalctl;
  std::string launcher = VPNRUN_BINDIR "/vpnrun";  ///< what a user unit is started through
  std::string companion = VPNRUN_LIBEXECDIR "/vpnrun-tunnel";
  /// How long a unit that was restarted is watched: an ordinary service (Type=simple) has started,
  /// to systemd, before it has tried to start its program.
  std::chrono::milliseconds settle{1000};
  /// Folders of journald; a folder for each machine ID below them.
  std::vector<std::string> journals = {"/var/log/journal", "/run/log/journal"};
};

}  // namespace vpnrun
