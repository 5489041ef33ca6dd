// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "profiles/base/error.h"

namespace vpnrun::service {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The system user that looks up names, with the group "nogroup", as its own group may admit people
/// to profiles. No client runs as this user. Read from /etc/passwd without NSS, whose modules would
/// stay in memory for the companion's lifetime. Throws Error with a hint if there is none, or if it
/// is root.
[[nodiscard]] Account look_up_account();

/// The name service failed.
class NotAnswered : public Error {
 public:
  using Error::Error;
};

/// By NSS (getpwnam_r(3), getgrnam_r(3)). nullopt: no such user or group. Throws NotAnswered if
/// that cannot be determined: no answer from a directory service does not mean "no".
[[nodiscard]] std::optional<uid_t> find_user(const std::string& name);
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

/// Whether [access] may admit `uid`, `gid`: not those of a client, or of the process that looks up
/// names.
[[nodiscard]] bool may_admit_user(uid_t uid);
[[nodiscard]] bool may_admit_group(gid_t gid);

}  // namespace vpnrun::service
