// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun::service {

/// Exit codes of vpnrun-tunnel; those above 64 as in sysexits.h.
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitNotRoot = 77;
constexpr int kExitConfiguration = 78;
/// To ExecCondition= a failure of the unit; what is less only has it skipped (systemd.service(5)).
constexpr int kExitOutside = 255;

/// The commands of vpnrun-tunnel. Each reports on standard error what is wrong and returns an exit
/// code; none throws because of anything that a user can cause.

/// Makes the profile's namespaces; see prepare_namespaces().
[[nodiscard]] int prepare(const std::string& profile_name);

/// Runs the profile's tunnel in the foreground until SIGTERM or SIGINT. SIGHUP reads the
/// configuration again.
[[nodiscard]] int run(const std::string& profile_name);

/// For ExecStopPost= of the companion's unit: if the companion could not do so itself, records in
/// the profile's state how it ended ($SERVICE_RESULT, $EXIT_STATUS in systemd.exec(5)), which a
/// launch that finds no companion reports. Then removes what it left on the host
/// (remove_veth_link()); the namespace stays, sealed. Does nothing while a companion runs. Counts
/// those that failed in a row; `run` waits accordingly (FailedRuns).
[[nodiscard]] int ended(const std::string& profile_name);

/// For ExecStopPost= of the namespace's unit: if that could not be started, remembers which units
/// wait for it (remember_waiting_units()).
[[nodiscard]] int waiting(const std::string& profile_name);

/// For ExecStartPost= of the namespace's unit: starts those that were remembered.
[[nodiscard]] int resume(const std::string& profile_name);

/// For ExecCondition= of an attached service: 0 if the caller's network namespace is the one that
/// /run/netns/NAME leads to, kExitOutside otherwise, whatever the reason. Needs no right: it runs
/// as the service's user, who may have chosen its environment.
[[nodiscard]] int inside(const std::string& profile_name);

/// Undoes prepare and run; a companion that still runs is ended.
[[nodiscard]] int release(const std::string& profile_name);

}  // namespace vpnrun::service
