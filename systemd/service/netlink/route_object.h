// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/route.h"

/// Shared by the route modules of this library; not for others.
namespace vpnrun::netlink {

/// What libnl builds requests from.
[[nodiscard]] RoutePtr to_object(const Route& route);

/// Whether every next hop of a route's message is as long as it says, and long enough to be one.
/// libnl does not check: at one of length 0 it loops for ever.
[[nodiscard]] bool has_whole_nexthops(::nlmsghdr* header);

}  // namespace vpnrun::netlink
