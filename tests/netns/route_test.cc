// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/route.h"

#include <algorithm>
#include <cerrno>

#include "profiles/base/error.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "tests/netns/lab.h"

namespace vpnrun::netlink {
namespace {

using test::ip;
using test::prefix;

int wan_index(Socket& socket) {
  return find_link(socket, "wan").value_or(LinkInfo{}).index;
}

std::optional<Route> find_route(Socket& socket, const Prefix& destination) {
  const auto routes = list_routes(socket);
  const auto found = std::find_if(routes.begin(), routes.end(), [&](const Route& route) {
    return route.destination == destination;
  });
  return found == routes.end() ? std::nullopt : std::optional(*found);
}

NETNS_TEST(Route, SetsListsAndDeletesARouteThroughAGateway) {
  const test::Lab lab;
  Socket socket;
  Route route;
  route.destination = prefix("203.0.113.0/24");
  route.ifindex = wan_index(socket);
  route.gateway = ip(test::kServer);
  route.preferred_source = ip(test::kHostWan);
  route.metric = 7;
  replace_route(socket, route);
  replace_route(socket, route);
  const auto found = find_route(socket, route.destination);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->gateway, route.gateway);
  EXPECT_EQ(found->preferred_source, route.preferred_source);
  EXPECT_EQ(found->metric, 7U);
  EXPECT_EQ(found->ifindex, route.ifindex);
  EXPECT_EQ(found->table, static_cast<std::uint32_t>(RT_TABLE_MAIN));
  EXPECT_TRUE(delete_route(socket, route));
  EXPECT_FALSE(delete_route(socket, route));
  EXPECT_FALSE(find_route(socket, route.destination));
}

NETNS_TEST(Route, ListsEveryTableAndBothFamilies) {
  const test::Lab lab;
  Socket socket;
  Route route;
  route.destination = prefix("fd00:77::/64");
  route.ifindex = wan_index(socket);
  route.table = 4242;
  replace_route(socket, route);
  EXPECT_EQ(find_route(socket, route.destination).value_or(Route{}).table, 4242U);
  const auto local = find_route(socket, prefix("10.213.0.1/32"));
  ASSERT_TRUE(local);
  EXPECT_EQ(local->type, RTN_LOCAL);
}

NETNS_TEST(Route, DefaultRouteIsListedAsDefault) {
  const test::Lab lab;
  Socket socket;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Route route;
    route.destination = Prefix::default_network(family);
    route.ifindex = wan_index(socket);
    replace_route(socket, route);
    const auto found = find_route(socket, route.destination);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->is_default());
    EXPECT_TRUE(delete_route(socket, route));
  }
}

NETNS_TEST(Route, GetSaysWhichWayAndWhetherThereIsOne) {
  const test::Lab lab;
  Socket socket;
  const auto server = route_get(socket, ip(test::kServer));
  ASSERT_TRUE(server);
  EXPECT_EQ(server->ifindex, wan_index(socket));
  EXPECT_EQ(server->preferred_source, ip(test::kHostWan));
  EXPECT_FALSE(server->gateway);
  EXPECT_EQ(server->type, RTN_UNICAST);
  EXPECT_EQ(route_get(socket, ip(test::kHostWan))->type, RTN_LOCAL);
  EXPECT_EQ(route_get(socket, ip("198.51.100.255"))->type, RTN_BROADCAST);
  EXPECT_FALSE(route_get(socket, ip("203.0.113.1")));
  EXPECT_FALSE(route_get(socket, ip("2001:db8::1")));
  for (const std::uint8_t type : {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT}) {
    Route closed;
    closed.destination = prefix("203.0.113.0/24");
    closed.type = type;
    replace_route(socket, closed);
    EXPECT_FALSE(route_get(socket, ip("203.0.113.1"))) << int{type};
    closed.destination = prefix("2001:db8::/32");
    replace_route(socket, closed);
    EXPECT_FALSE(route_get(socket, ip("2001:db8::1"))) << int{type};
  }
}

NETNS_TEST(Route, KeepsTheErrnoAndTheWordsOfTheKernel) {
  const test::Lab lab;
  Socket socket;
  Route route;
  route.destination = prefix("203.0.113.0/24");
  route.ifindex = wan_index(socket);
  route.gateway = ip("192.0.2.1");  // not on any link
  try {
    replace_route(socket, route);
    ADD_FAILURE() << "a gateway that cannot be reached was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), std::errc::network_unreachable);
    EXPECT_STREQ(error.what(),
                 "cannot set the route to 203.0.113.0/24: Network is unreachable "
                 "(Nexthop has invalid gateway)");
  }
}

}  // namespace
}  // namespace vpnrun::netlink
