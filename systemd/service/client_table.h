// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "systemd/service/netlink/route.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// The routing table of the VPN client's own packets, inside: a Link has its routes to the
/// endpoints there. Everybody else's packets to the same addresses go by the main table, into the
/// tunnel or nowhere: the machine that is the server may have a web page, too.
constexpr std::uint32_t kClientTable = 30322;

/// The routing table of sockets that are bound to the tunnel's device (torrent programs can be told
/// to). Without a route of their own the kernel takes every destination for a neighbour on that
/// device: while the tunnel is down their connections would hang. So there is one then by which TCP
/// fails at once, see nowhere_on().
constexpr std::uint32_t kBoundTable = 30323;

/// For kBoundTable. (RTN_UNREACHABLE does not do: without a route to the device the kernel takes
/// the destination for a neighbour all the same. A connection to a multicast address is refused.)
[[nodiscard]] netlink::Route nowhere_on(int ifindex);

/// Has sockets of `client`, and of no other user, routed by kClientTable alone: what it has no
/// route for is unreachable for them, whatever the main table says. (Without that the client's
/// packets would go into its own tunnel for as long as the link is away.) What the kernel sends
/// without a socket of the client goes by the main table.
///
/// Sockets that are bound to the tunnel's device are routed by kBoundTable first, those of IPv4: of
/// IPv6 the kernel finds no way by itself.
///
/// What an earlier companion left there is replaced. The kernel's check of the way back
/// (rp_filter) knows no owner: it is turned off for all devices together, so that it can be
/// turned off for the link; the value of each other device counts as before. Throws Error.
void route_client(Netns& inside, ::uid_t client);

/// Undoes it, except for the check. Throws Error.
void unroute_client(Netns& inside);

}  // namespace vpnrun::service
