// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace vpnrun::service {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The system user that the VPN client runs as, with "nogroup": its own group may be one that
/// profiles admit, and the client is not to have what it admits to. Read from /etc/passwd without
/// NSS, whose modules would stay in memory for the companion's lifetime. Throws Error with a hint
/// if there is none, or if it is root.
[[nodiscard]] Account client_account();

/// By NSS (getpwnam_r(3), getgrnam_r(3)). nullopt: no such user or group.
[[nodiscard]] std::optional<uid_t> find_user(const std::string& name);
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

}  // namespace vpnrun::service
