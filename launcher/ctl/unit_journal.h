// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"

namespace vpnrun {

/// What `log` was asked for.
struct JournalOrder {
  std::string profile;
  std::string lines = "50";  ///< a number, or "all"
  bool follow = false;
  bool json = false;
};

/// Becomes journalctl(1), which shows what the profile's units said. Throws Error if systemd does
/// not run the machine, or the caller may not read the system's journal.
[[noreturn]] void show_journal(const JournalOrder& order, const Places& places,
                               const UnitPlaces& units, char* const* environment);

}  // namespace vpnrun
