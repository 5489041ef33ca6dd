// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

struct UnixListenerOptions {
  mode_t mode = 0600;  ///< of the socket file: who may connect (unix(7))
  uid_t owner = 0;     ///< its group is root
  int backlog = 1;     ///< connections that wait, see listen(2)
};

/// A listening stream socket at `path`, close-on-exec and not blocking. What stands at `path` is
/// removed first. Nobody but the owner can connect before mode and owner are set. Throws Error.
[[nodiscard]] UniqueFd listen_unix(const std::string& path, const UnixListenerOptions& options);

}  // namespace vpnrun::service
