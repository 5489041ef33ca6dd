// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

struct UnixListenerOptions {
  mode_t mode = 0600;                        ///< of the socket file: who may connect (unix(7))
  std::optional<uid_t> user = std::nullopt;  ///< another user who may connect, by an ACL
  int backlog = 1;                           ///< connections that wait, see listen(2)
};

/// A listening stream socket at `path`, close-on-exec and not blocking. What is at `path` is
/// removed first. The socket file belongs to the calling process's user; nobody can connect before
/// mode and ACL are set. Needs no capability: the owner of a file may set its ACL, but not give it
/// to another owner. Throws Error.
[[nodiscard]] UniqueFd listen_unix(const std::string& path, const UnixListenerOptions& options);

}  // namespace vpnrun::service
