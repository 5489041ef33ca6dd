// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

// Units that need a profile's namespace: its tunnel and socket, attached services, and what needs
// those. When the unit of the namespace cannot be started, systemd gives up all of theirs for good
// ("dependency failed"), although the next attempt may succeed. So they are remembered, and started
// once the namespace is there.
namespace vpnrun::service {

/// The units that are to be started (or restarted) but have to wait, of the output of `systemctl
/// list-jobs --plain --no-legend`.
[[nodiscard]] std::vector<std::string> waiting_starts(std::string_view jobs);

/// The units in the values of the output of `systemctl show`, without quotes and escapes.
[[nodiscard]] std::vector<std::string> shown_units(std::string_view properties);

/// Adds to what is remembered the units that wait for vpnrun-netns@NAME.service, directly or not.
/// Does nothing on a machine without systemd. Throws Error.
void remember_waiting_units(const std::string& profile_name);

/// Has systemd start what is remembered, without waiting for it, and forgets it. Throws Error.
void start_waiting_units(const std::string& profile_name);

/// Forgets what is remembered.
void forget_waiting_units(const std::string& profile_name) noexcept;

}  // namespace vpnrun::service
