// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/route.h"

/// Shared by the route modules of this library; not for others.
namespace vpnrun::netlink {

/// What libnl builds requests from.
[[nodiscard]] RoutePtr to_object(const Route& route);

}  // namespace vpnrun::netlink
