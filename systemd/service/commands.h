// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun::service {

/// Exit codes of vpnrun-tunnel; those above 64 as in sysexits.h.
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitNotRoot = 77;
constexpr int kExitConfiguration = 78;

/// The commands of vpnrun-tunnel. Each returns an exit code after it has said on standard error
/// what is wrong; none throws for what a user can cause.

/// Makes the profile's namespaces; see prepare_namespaces().
[[nodiscard]] int prepare(const std::string& profile_name);

/// Runs the profile's tunnel in the foreground until SIGTERM or SIGINT. SIGHUP reads the
/// configuration again.
[[nodiscard]] int run(const std::string& profile_name);

/// For ExecStopPost= of the companion's unit: records in the profile's state how the companion came
/// to its end if it could not do so itself ($SERVICE_RESULT, $EXIT_STATUS in systemd.exec(5)); a
/// launch that finds no companion reports it. Then takes back what it left on the host
/// (remove_veth_link()); the namespace stays, sealed. Does nothing while there is a companion.
[[nodiscard]] int ended(const std::string& profile_name);

/// Undoes prepare and run; a companion that still runs is ended.
[[nodiscard]] int release(const std::string& profile_name);

}  // namespace vpnrun::service
