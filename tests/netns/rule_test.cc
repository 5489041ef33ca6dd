// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/rule.h"

#include <linux/rtnetlink.h>

#include <algorithm>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "tests/netns/lab.h"

namespace vpnrun::netlink {
namespace {

constexpr std::uint32_t kTable = 4242;

bool has(Socket& socket, const Rule& rule) {
  const auto rules = list_rules(socket);
  return std::find(rules.begin(), rules.end(), rule) != rules.end();
}

NETNS_TEST(Rule, IsAddedListedAndDeletedInBothFamilies) {
  Socket socket;
  EXPECT_TRUE(has(socket, {Family::kIpv4, 32766, RT_TABLE_MAIN, {}})) << "the kernel's own";
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const Rule mine{family, 70, kTable, ::uid_t{0}};
    const Rule everybodys{family, 71, kTable, {}};
    EXPECT_TRUE(add_rule(socket, mine));
    EXPECT_FALSE(add_rule(socket, mine));
    EXPECT_TRUE(has(socket, mine));
    EXPECT_FALSE(has(socket, everybodys));
    EXPECT_TRUE(add_rule(socket, everybodys));
    EXPECT_TRUE(delete_rule(socket, everybodys));
    EXPECT_TRUE(has(socket, mine));
    const Rule bound{family, 71, kTable, {}, "tun0"};
    EXPECT_FALSE(has(socket, bound));
    EXPECT_TRUE(add_rule(socket, bound)) << "a device that is not there yet";
    EXPECT_TRUE(has(socket, bound));
    EXPECT_FALSE(has(socket, everybodys));
    EXPECT_TRUE(delete_rule(socket, bound));
    EXPECT_TRUE(delete_rule(socket, mine));
    EXPECT_FALSE(delete_rule(socket, mine));
  }
  EXPECT_THROW((void)add_rule(socket, {Family::kIpv4, 70, kTable, ::uid_t{60706}}), Error)
      << "no user of this namespace";
}

NETNS_TEST(Rule, DecidesByTheOwnerOfTheSocket) {
  const test::Lab lab;
  Socket socket;
  Route nowhere;
  nowhere.destination = Prefix::default_network(Family::kIpv4);
  nowhere.table = kTable;
  nowhere.type = RTN_UNREACHABLE;
  replace_route(socket, nowhere);
  EXPECT_TRUE(route_get(socket, test::ip(test::kServer))) << "positive control";
  ASSERT_TRUE(add_rule(socket, {Family::kIpv4, 70, kTable, ::uid_t{0}}));
  EXPECT_FALSE(route_get(socket, test::ip(test::kServer)));
}

}  // namespace
}  // namespace vpnrun::netlink
