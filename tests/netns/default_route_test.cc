// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/default_route.h"

#include <cerrno>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "tests/netns/lab.h"

namespace vpnrun::netlink {
namespace {

using test::ip;

bool reaches(Socket& socket, const char* address) {
  return route_get(socket, ip(address)).has_value();
}

NETNS_TEST(DefaultRoute, InstallsAndRemovesBothFamilies) {
  const test::Lab lab;
  Socket socket;
  DefaultRoute route(find_link(socket, "wan")->index, Families::kBoth);
  EXPECT_FALSE(reaches(socket, "203.0.113.1"));
  route.install();
  route.install();
  EXPECT_TRUE(reaches(socket, "203.0.113.1"));
  EXPECT_TRUE(reaches(socket, "2001:db8::1"));
  EXPECT_EQ(route.remove(), 0);
  EXPECT_FALSE(reaches(socket, "203.0.113.1"));
  EXPECT_FALSE(reaches(socket, "2001:db8::1"));
}

NETNS_TEST(DefaultRoute, CarriesOneFamilyOnly) {
  const test::Lab lab;
  Socket socket;
  const int wan = find_link(socket, "wan")->index;
  DefaultRoute ipv4(wan, Families::kIpv4);
  ipv4.install();
  EXPECT_TRUE(reaches(socket, "203.0.113.1"));
  EXPECT_FALSE(reaches(socket, "2001:db8::1"));
  EXPECT_EQ(ipv4.remove(), 0);
  DefaultRoute ipv6(wan, Families::kIpv6);
  ipv6.install();
  EXPECT_FALSE(reaches(socket, "203.0.113.1"));
  EXPECT_TRUE(reaches(socket, "2001:db8::1"));
  EXPECT_EQ(ipv6.remove(), 0);
  EXPECT_FALSE(reaches(socket, "2001:db8::1"));
}

NETNS_TEST(DefaultRoute, RemoveIsFineWhenNothingIsThere) {
  const test::Lab lab;
  Socket socket;
  DefaultRoute route(find_link(socket, "wan")->index, Families::kBoth);
  EXPECT_EQ(route.remove(), 0);
  route.install();
  ASSERT_TRUE(delete_link(socket, "wan"));  // takes its routes with it
  EXPECT_EQ(route.remove(), 0);
}

NETNS_TEST(DefaultRoute, InstallThrowsForALinkThatIsNotThere) {
  DefaultRoute route(4711, Families::kBoth);
  EXPECT_THROW(route.install(), Error);
  EXPECT_EQ(route.remove(), 0);
}

NETNS_TEST(DefaultRoute, StaysInTheNamespaceItWasMadeIn) {
  const test::Lab lab;
  lab.inside.run([&] {
    Socket there;
    DefaultRoute route(find_link(there, "uplink")->index, Families::kIpv4);
    {
      const test::Netns other;
      other.run([&] { route.install(); });
    }
    EXPECT_TRUE(reaches(there, "203.0.113.1"));
  });
}

}  // namespace
}  // namespace vpnrun::netlink
