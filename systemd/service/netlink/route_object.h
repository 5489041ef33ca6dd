// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/route.h"

/// Shared by the route modules of this library; not for others.
namespace vpnrun::netlink {

/// What libnl builds requests from.
[[nodiscard]] RoutePtr to_object(const Route& route);

/// Whether a route's message is one that rtnl_route_parse() can be given: every next hop is as long
/// as it says and long enough to be one, and every gateway of another family says which. libnl does
/// not check: at a hop of length 0 it loops for ever, and of a gateway it copies as many bytes as
/// are left behind its family, however short it is.
[[nodiscard]] bool is_whole_route(::nlmsghdr* header);

}  // namespace vpnrun::netlink
