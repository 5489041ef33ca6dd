// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "systemd/service/os/accounts.h"

namespace vpnrun::service {

/// A user and a group for the client of each profile, so that a client that its server has taken
/// over shares its user with no other process: one number for both, from a range that neither
/// people nor packages nor systemd use (VPNRUN_CLIENT_IDS; UIDS-GIDS.md of systemd).
///
/// /run/vpnrun/.ids/NUMBER is a symbolic link whose target is the profile's name, made and removed
/// under HostLock. A profile keeps its number from prepare (or run, if an older version prepared
/// it) to release. A number is not used if NSS knows it as somebody else's, if /etc/subuid or
/// /etc/subgid gives it to somebody (newuidmap(1) lets him be that user), or if a process has it.
/// As they may change, the first two are checked again for the number that a profile has.
///
/// For nss-systemd(8), which needs no daemon for it, the user and the group are recorded as JSON in
/// /run/userdb; without that the client still finds its own names, see client_root.h.

/// Whether the number is in the range, which is the same for users and groups.
[[nodiscard]] bool is_client_id(id_t id) noexcept;

/// "vpnrun-client-NUMBER": the name of both.
[[nodiscard]] std::string client_name(id_t id);

/// The profile's user and group; new ones if it has none, or if its number now belongs to somebody
/// else, unless it is `in_use` (the profile has a companion, which is not this process). Throws
/// Error if none is free, or as HostLock and read_subordinate_ids() do.
[[nodiscard]] Account take_client_id(const std::string& profile_name, bool in_use);

/// Ends every process that has the number as its user, in whatever namespace: a client that escaped
/// the companion that started it, and would keep the tunnel device busy. Waits for a few seconds at
/// most; what is left then is logged. Nobody else has such a number (see above).
void end_processes_of(id_t id);

/// The same for the profile's number, if it has one. To be called once its companion has ended.
void end_client_processes(const std::string& profile_name);

/// Frees the profile's user and group; it is not an error if it has none. To be called once its
/// client has ended. Throws Error as HostLock does.
void free_client_id(const std::string& profile_name);

}  // namespace vpnrun::service
