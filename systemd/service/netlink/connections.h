// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "profiles/base/ip_address.h"

namespace vpnrun::netlink {

/// What became of the connections that were to be ended.
struct EndedConnections {
  std::size_t count = 0;
  /// The own addresses of those that the kernel left, each once.
  std::vector<IpAddress> left;
  /// Why: EOPNOTSUPP of a kernel without CONFIG_INET_DIAG_DESTROY, ENOENT of one without the
  /// inet_diag modules (then nothing is known about connections), … 0: all are ended.
  int error = 0;
};

/// Ends the connections in the calling thread's network namespace whose own address `is_stale`
/// says so of: of TCP everything but what listens or is over anyway, of UDP what is connected, both
/// families. Their programs get ECONNABORTED, at once and even if they only wait. Needs
/// CAP_NET_ADMIN over the namespace. See sock_diag(7), SOCK_DESTROY. An address of IPv4 that is
/// written in IPv6 is given as IPv4. Throws what `is_stale` throws.
[[nodiscard]] EndedConnections end_connections(
    const std::function<bool(const IpAddress&)>& is_stale);

}  // namespace vpnrun::netlink
