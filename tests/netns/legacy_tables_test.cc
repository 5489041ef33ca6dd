// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/legacy_tables.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "profiles/base/error.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

/// Makes the table, as the first iptables command does.
void use_filter() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::ipt_getinfo info{};
  std::strcpy(info.name, "filter");
  ::socklen_t size = sizeof info;
  if (::access("/proc/thread-self/net/ip_tables_names", F_OK) != 0 ||
      ::getsockopt(socket.get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0) {
    throw test::Skipped("this kernel has no ip_tables; modprobe iptable_filter");
  }
}

NETNS_TEST(LegacyTables, NoneIsMadeByLookingForThem) {
  Netns netns = Netns::here();
  KernelLegacyTables tables(netns);
  EXPECT_TRUE(tables.names().empty());
  use_filter();
  EXPECT_EQ(tables.names(), std::vector<std::string>{"filter"});
}

NETNS_TEST(LegacyTables, ARuleIsAddedAndTakenOutAgain) {
  use_filter();
  Netns netns = Netns::here();
  KernelLegacyTables tables(netns);
  const LegacyTable before = tables.read("filter");
  EXPECT_EQ(edit_of(before).former.size(), before.count);
  tables.change("filter", [](LegacyEdit& edit) {
    return add_pass(edit, "FORWARD", {"vr-one", "", "vpnrun-one"});
  });
  const LegacyTable during = tables.read("filter");
  EXPECT_EQ(during.count, before.count + 1);
  tables.change("filter", [](LegacyEdit&) { return false; });
  EXPECT_EQ(tables.read("filter"), during);
  tables.change("filter", [](LegacyEdit& edit) { return remove_marked(edit, "vpnrun-one"); });
  EXPECT_EQ(tables.read("filter"), before);
}

NETNS_TEST(LegacyTables, WhatTheKernelRefusesIsSaid) {
  use_filter();
  Netns netns = Netns::here();
  KernelLegacyTables tables(netns);
  const LegacyTable before = tables.read("filter");
  EXPECT_THROW(tables.change("filter",
                             [](LegacyEdit& edit) {
                               edit.table.hook_entry[2] += 8;
                               return true;
                             }),
               Error);
  EXPECT_EQ(tables.read("filter"), before);
  EXPECT_THROW((void)tables.read("no-such-table"), Error);
}

}  // namespace
}  // namespace vpnrun::service
