// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "launcher/ctl/drop_in_text.h"
#include "launcher/ctl/service_manager.h"

namespace vpnrun {

/// `path` without superfluous slashes, _/var/run_ replaced by _/run_. Throws Error unless it lies
/// below /run and has no "..".
[[nodiscard]] std::string checked_run_path(const std::string& path);

/// Throws Error, with a hint, if the system unit cannot live in a namespace of ours without
/// breaking or leaking: the machine's own foundations, units that need the system bus, ….
/// `run_paths` are what the administrator lets in by name; `profile` is the one to be attached to.
void check_system_unit(const Unit& unit, const std::vector<std::string>& run_paths,
                       const std::string& profile);

/// Throws Error if a user's service manager starts this unit so that no setuid program works in it.
/// `systemd_version` is that of the manager.
void check_user_unit(const Unit& unit, int systemd_version);

/// What is worth a warning in a unit that can be attached: sentences.
[[nodiscard]] std::vector<std::string> system_unit_warnings(
    const Unit& unit, const std::vector<std::string>& run_paths);
[[nodiscard]] std::vector<std::string> user_unit_warnings(const Unit& unit);

/// The folders of RuntimeDirectory=, absolute.
[[nodiscard]] std::vector<std::string> runtime_directories(const Unit& unit);

/// What our system calls have to come back with, by what systemd has read of the unit: its files
/// may say what systemd leaves out, such as an invalid error number.
[[nodiscard]] CallErrors call_errors(const Unit& unit);

/// Whether systemd, by these properties, refuses what the drop-in of a system unit lists: of the
/// families of sockets and system calls one of each list, and 32-bit programs.
[[nodiscard]] bool is_filter_in_force(const UnitProperties& properties);

/// The setting of a system unit's drop-in that is not in force, by the properties
/// in_force_properties(): another drop-in overrides it. Empty if all are.
[[nodiscard]] std::string overridden_setting(const UnitProperties& properties,
                                             const std::string& profile);
[[nodiscard]] const std::vector<std::string>& in_force_properties();

/// Whether each command of a user's unit, by its property ExecStart, is started by `launcher`.
[[nodiscard]] bool goes_through(const UnitProperties& properties, const std::string& launcher);

/// What becomes of the unit when it fails.
[[nodiscard]] RestartPolicy restart_policy(const Unit& unit);

/// The sockets that start the unit, and are handed to it.
[[nodiscard]] std::vector<std::string> triggering_sockets(const Unit& unit);

/// Whether RestrictAddressFamilies= allows none.
[[nodiscard]] bool has_no_families(const Unit& unit);

/// Whether RestrictAddressFamilies= is set at all.
[[nodiscard]] bool has_own_families(const Unit& unit);

}  // namespace vpnrun
