// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "launcher/cli.h"
#include "launcher/places.h"
#include "launcher/report.h"

namespace vpnrun {

/// Chooses the profile, brings its tunnel up or waits for it, and replaces this process by
/// vpnrun-helper, which becomes the command. Between entry and execve(2) nothing of the process
/// that a program inherits is changed: descriptors, signals, umask, directory, limits, terminal.
///
/// Returns only if the process is already inside the profile and the command itself cannot be
/// executed: kExitNotExecutable or kExitNotFound, reported. Throws Error for everything else that
/// ends with kExitOwnFailure. `environment` is null-terminated.
[[nodiscard]] int launch(const LaunchOptions& options, const Places& places,
                         char* const* environment, Reporter& reporter);

/// What main() of `vpnrun` does: parses, launches, reports; returns the exit status.
[[nodiscard]] int run_vpnrun(int argc, char* const* argv, char* const* environment,
                             const Places& places);

}  // namespace vpnrun
