// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/route.h"

/// Shared by the route modules of this library; not for others.
namespace vpnrun::netlink {

/// What libnl builds requests from.
[[nodiscard]] RoutePtr to_object(const Route& route);

/// Whether every next hop of a route's message is as long as it says, and a next hop at all. libnl
/// does not look: from one of length 0 it never comes back.
[[nodiscard]] bool has_whole_nexthops(::nlmsghdr* header);

}  // namespace vpnrun::netlink
