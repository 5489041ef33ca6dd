// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/subnet.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vpnrun::netlink {
namespace {

Route route_to(const char* destination, int ifindex = 2) {
  Route route;
  route.destination = *Prefix::parse(destination);
  route.ifindex = ifindex;
  return route;
}

std::vector<UsedNetwork> used_by(const std::vector<Route>& routes) {
  return used_networks(routes, {}, 0);
}

TEST(Subnet, IsAThirtyOutOfThePoolAndTheSameEachTime) {
  const auto first = pick_subnet({}, "work");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->length, 30);
  EXPECT_EQ(*first, first->network());
  EXPECT_TRUE(Prefix::parse("10.213.0.0/16")->overlaps(*first));
  EXPECT_EQ(pick_subnet({}, "work"), first);
}

TEST(Subnet, DiffersForMostNames) {
  std::set<Prefix> subnets;
  for (int i = 0; i < 50; ++i) {
    subnets.insert(*pick_subnet({}, "profile-" + std::to_string(i)));
  }
  EXPECT_GE(subnets.size(), 48U);
}

TEST(Subnet, AvoidsWhatIsRouted) {
  const Prefix first = *pick_subnet({}, "work");
  const std::vector<Route> routes{route_to(first.str().c_str())};
  const auto second = pick_subnet(used_by(routes), "work");
  ASSERT_TRUE(second);
  EXPECT_NE(*second, first);
  EXPECT_TRUE(Prefix::parse("10.213.0.0/16")->overlaps(*second));
}

bool picks_in(const char* network, const std::vector<Route>& routes,
              const std::vector<InterfaceAddress>& addresses = {}) {
  const auto subnet = pick_subnet(used_networks(routes, addresses, 0), "work");
  return subnet && Prefix::parse(network)->overlaps(*subnet);
}

Route route_in(std::uint32_t table, const char* destination) {
  Route route = route_to(destination);
  route.table = table;
  return route;
}

TEST(Subnet, GoesToTheNextPoolWhenARouteLeadsToOne) {
  std::vector<Route> routes{route_to("10.0.0.0/8")};
  EXPECT_TRUE(picks_in("172.29.0.0/16", routes));
  routes.push_back(route_to("172.16.0.0/12"));
  EXPECT_TRUE(picks_in("192.168.213.0/24", routes));
  routes.push_back(route_to("192.168.0.0/16"));
  EXPECT_TRUE(picks_in("198.19.0.0/16", routes)) << "takes nobody's addresses";
  routes.push_back(route_to("198.18.0.0/15"));
  EXPECT_TRUE(picks_in("10.213.0.0/16", routes)) << "below a wider route";
}

TEST(Subnet, IsNotInAnInterfacesNetworkNorBelowARouteThatARuleMayAskForFirst) {
  std::vector<Route> routes{route_to("172.16.0.0/12"), route_to("192.168.0.0/16"),
                            route_to("198.18.0.0/15")};
  routes.push_back(route_in(220, "10.0.0.0/8"));
  EXPECT_TRUE(picks_in("172.29.0.0/16", routes));
  const std::vector<InterfaceAddress> wide{{7, *Prefix::parse("172.16.4.4/12"), {}}};
  EXPECT_TRUE(picks_in("192.168.213.0/24", routes, wide));
  routes.push_back(route_in(220, "192.168.0.0/16"));
  EXPECT_FALSE(pick_subnet(used_networks(routes, wide, 0), "work"));
  routes.pop_back();
  EXPECT_TRUE(pick_subnet(used_networks(routes, wide, 0), "work")) << "positive control";
}

TEST(Subnet, FindsTheLastFreeOne) {
  std::vector<Route> routes{route_to("10.0.0.0/8"), route_to("172.16.0.0/12"),
                            route_to("198.18.0.0/15")};
  for (int i = 0; i < 64; ++i) {
    if (i != 17) {
      routes.push_back(route_to(("192.168.213." + std::to_string(i * 4) + "/30").c_str()));
    }
  }
  EXPECT_EQ(pick_subnet(used_by(routes), "work")->str(), "192.168.213.68/30");
}

TEST(Subnet, ADefaultRouteTakesNothingAlsoWhenWrittenInHalves) {
  const std::vector<Route> routes{
      route_to("0.0.0.0/0"),   route_to("0.0.0.0/1"),          route_to("128.0.0.0/1"),
      route_to("224.0.0.0/4"), route_to("255.255.255.255/32"), route_to("::/0"),
      route_to("fd00::/8")};
  EXPECT_TRUE(used_by(routes).empty());
}

TEST(Subnet, OwnLinkIsNoObstacle) {
  const std::vector<Route> routes{route_to("10.213.0.0/30", 7), route_to("10.214.0.0/30", 0)};
  const std::vector<InterfaceAddress> addresses{{7, *Prefix::parse("10.213.0.1/30"), {}},
                                                {8, *Prefix::parse("192.0.2.1/24"), {}}};
  const auto used = used_networks(routes, addresses, 7);
  ASSERT_EQ(used.size(), 4U);
  EXPECT_EQ(used[0].network.str(), "192.0.2.0/24");
  EXPECT_EQ(used[1].network.str(), "192.0.2.1/32");
  EXPECT_EQ(used[3].network.str(), "10.214.0.0/30");
  EXPECT_EQ(used_networks(routes, addresses, 0).size(), 8U);
}

TEST(Subnet, NamesWhatAFixedOneCollidesWith) {
  Route through = route_to("203.0.113.0/24", 5);
  through.gateway = *IpAddress::parse("192.168.1.1");
  const std::vector<Route> routes{route_to("192.0.2.0/24", 3), route_to("10.20.30.42/31", 4),
                                  through};
  const std::vector<InterfaceAddress> addresses{
      {6, *Prefix::parse("192.168.1.9/16"), {}},
      {7, *Prefix::parse("10.9.0.1/32"), IpAddress::parse("10.9.0.9")}};
  const auto conflict = [&](const char* subnet) {
    const auto found = find_conflict(*Prefix::parse(subnet), used_networks(routes, addresses, 0));
    return found ? found->network.str() + " of " + std::to_string(found->ifindex) : "none";
  };
  EXPECT_EQ(conflict("10.20.30.40/30"), "10.20.30.42/31 of 4");
  EXPECT_EQ(conflict("192.168.1.8/30"), "192.168.1.9/32 of 6") << "an address of the machine";
  EXPECT_EQ(conflict("192.168.1.0/30"), "192.168.1.1/32 of 5") << "a gateway";
  EXPECT_EQ(conflict("10.9.0.8/30"), "10.9.0.9/32 of 7") << "a peer";
  EXPECT_EQ(conflict("10.9.0.0/30"), "10.9.0.1/32 of 7");
}

TEST(Subnet, AFixedOneMayBeInsideOfAWiderNetwork) {
  const std::vector<Route> routes{route_to("10.0.0.0/8", 3), route_in(220, "10.0.0.0/9")};
  const std::vector<InterfaceAddress> addresses{{6, *Prefix::parse("10.1.0.1/16"), {}}};
  const auto used = used_networks(routes, addresses, 0);
  EXPECT_FALSE(find_conflict(*Prefix::parse("10.1.30.40/30"), used));
  EXPECT_TRUE(find_conflict(*Prefix::parse("10.1.0.0/30"), used)) << "positive control";
}

TEST(Subnet, TheHostHasTheFirstAddress) {
  const Prefix subnet = *Prefix::parse("10.213.0.4/30");
  EXPECT_EQ(host_end(subnet).str(), "10.213.0.5");
  EXPECT_EQ(namespace_end(subnet).str(), "10.213.0.6");
}

}  // namespace
}  // namespace vpnrun::netlink
