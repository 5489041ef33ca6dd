// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>

namespace vpnrun::netlink {

/// Calls the C function that gives an object (or one reference to it) back.
template <auto Free>
struct NlDeleter {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

template <class T, auto Free>
using NlPtr = std::unique_ptr<T, NlDeleter<Free>>;

using SocketPtr = NlPtr<::nl_sock, ::nl_socket_free>;
using MessagePtr = NlPtr<::nl_msg, ::nlmsg_free>;
using NlAddressPtr = NlPtr<::nl_addr, ::nl_addr_put>;
using LinkPtr = NlPtr<::rtnl_link, ::rtnl_link_put>;
using RtAddressPtr = NlPtr<::rtnl_addr, ::rtnl_addr_put>;
using RoutePtr = NlPtr<::rtnl_route, ::rtnl_route_put>;
using NexthopPtr = NlPtr<::rtnl_nexthop, ::rtnl_route_nh_free>;
using NeighbourPtr = NlPtr<::rtnl_neigh, ::rtnl_neigh_put>;

}  // namespace vpnrun::netlink
