// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vpnrun::service {

/// The user at the other end of a connection, as of the time it was made.
struct Peer {
  uid_t uid = 0;
  std::vector<gid_t> groups;
};

/// Whether `peer` could now reach what is in `folder`, according to the folder's permissions and
/// ACL as the kernel evaluates them (acl(5)) for a process with these ids and no capability. Root
/// always can. False if the folder is absent or cannot be examined.
///
/// The groups are those that the peer's process had: a process keeps a group until it ends, even if
/// its owner is no longer a member (credentials(7)).
[[nodiscard]] bool is_admitted(const std::string& folder, const Peer& peer);

}  // namespace vpnrun::service
