// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "launcher/ctl/tunnel_log.h"
#include "launcher/ctl/unit_places.h"

namespace vpnrun {

/// Whether the caller may read what the system wrote. journalctl(1) shows everybody what their own
/// services wrote, which is not what was asked for, and says nothing if there is none.
[[nodiscard]] bool may_read_journal(const UnitPlaces& units);

/// Becomes journalctl(1), which shows what the profile's units said: without a pager, and each line
/// whole. Throws Error if it cannot be started.
[[noreturn]] void show_journal(const LogOrder& order, const UnitPlaces& units,
                               char* const* environment);

}  // namespace vpnrun
