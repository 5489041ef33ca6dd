// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"

namespace vpnrun {

/// Exit statuses of `vpnrunctl`.
constexpr int kCtlFailed = 1;
constexpr int kCtlUsage = 2;

/// What main() of `vpnrunctl` does: parses, carries out, prints facts to standard output and
/// reports to standard error. Returns 0, kCtlFailed or kCtlUsage; does not return if the log is
/// shown by journalctl(1). `environment` is null-terminated.
[[nodiscard]] int run_vpnrunctl(int argc, char* const* argv, char* const* environment,
                                const Places& places, const UnitPlaces& units);

}  // namespace vpnrun
