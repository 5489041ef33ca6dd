// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "systemd/service/os/accounts.h"

namespace vpnrun::service {

/// A user and a group for the client of each profile, so that a client which its server has taken
/// over is a stranger to every other process: one number for both, out of a range that neither
/// people nor packages nor systemd use (VPNRUN_CLIENT_IDS; UIDS-GIDS.md of systemd).
///
/// /run/vpnrun/.ids/NUMBER is a symbolic link whose target is the profile's name, made and removed
/// under HostLock. A profile keeps its number from prepare (or run, if an older version prepared
/// it) to release. A number is not given that NSS knows as somebody else's, that
/// /etc/subuid or /etc/subgid gives somebody (newuidmap(1) makes him that user), or that a process
/// has. As both may change, the first two are looked at again for the number that a profile has.
///
/// For nss-systemd(8), which reads it without a daemon, the user and the group stand in /run/userdb
/// in JSON; without it the client still finds itself, see client_root.h.

/// Whether the number is one of the range, of users and groups alike.
[[nodiscard]] bool is_client_id(id_t id) noexcept;

/// "vpnrun-client-NUMBER": the name of both.
[[nodiscard]] std::string client_name(id_t id);

/// The profile's user and group; taken if it has none, or if its number is somebody else's by now,
/// unless it is `in_use` (the profile has a companion, which is not the caller). Throws Error if
/// none is free, or as HostLock and read_subordinate_ids() do.
[[nodiscard]] Account take_client_id(const std::string& profile_name, bool in_use);

/// Ends every process that has the number as its user, in whatever namespace: a client that got
/// away from the companion that started it, whose tunnel device is busy otherwise. Waits for a few
/// seconds at most; what is left then is said in the log. Nobody else has such a number (see
/// above).
void end_processes_of(id_t id);

/// The same for the profile's number, if it has one. Its companion has ended.
void end_client_processes(const std::string& profile_name);

/// Gives them back; none is no error. Its client has ended. Throws Error as HostLock does.
void free_client_id(const std::string& profile_name);

}  // namespace vpnrun::service
