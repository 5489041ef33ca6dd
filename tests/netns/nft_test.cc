// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/nft.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/inside_filter.h"
#include "tests/netns/lab.h"

namespace vpnrun::filter {
namespace {

NETNS_TEST(Nft, TakesEveryFormOfBothRulesets) {
  Nft nft;
  InsideFilter inside;
  EXPECT_NO_THROW(nft.apply(inside_ruleset(inside)));
  inside.capture = false;
  EXPECT_NO_THROW(nft.apply(inside_ruleset(inside)));
  inside = test::Lab::inside_filter();
  EXPECT_NO_THROW(nft.apply(inside_ruleset(inside)));
  inside.expose = {{Transport::kTcp, 9091}, {Transport::kUdp, 5353}};
  inside.inbound = inside.expose;
  EXPECT_NO_THROW(nft.apply(inside_ruleset(inside)));
  inside.tunnel_addresses.clear();
  EXPECT_NO_THROW(nft.apply(inside_ruleset(inside)));

  HostFilter host = test::Lab::host_filter();
  EXPECT_NO_THROW(nft.apply(host_ruleset(host, {})));
  host.endpoints.clear();
  host.expose = inside.expose;
  host.guarded_uplinks = {"wan", "wlp2s0"};
  host.profile_name = "0-odd_name-";
  EXPECT_NO_THROW(nft.apply(host_ruleset(host, {})));
  EXPECT_TRUE(nft.exists(kHostTable));
  EXPECT_NO_THROW(nft.apply(host_arp_ruleset(host_elements(host), {})));
  EXPECT_NO_THROW(nft.apply(host_flow_ruleset(host, FlowLimit::kCount)));
  EXPECT_NO_THROW(nft.apply(host_flow_ruleset(host, FlowLimit::kRate)));
}

NETNS_TEST(Nft, ReplacesATableAndRemovesItOnce) {
  Nft nft;
  EXPECT_FALSE(nft.exists(kInsideTable));
  EXPECT_FALSE(nft.remove(kInsideTable));
  nft.apply(inside_ruleset({}));
  nft.apply(inside_ruleset(test::Lab::inside_filter()));
  EXPECT_TRUE(nft.exists(kInsideTable));
  EXPECT_TRUE(nft.remove(kInsideTable));
  EXPECT_FALSE(nft.exists(kInsideTable));
}

NETNS_TEST(Nft, WhatADeadProcessWantedIsNotDone) {
  std::string commands;
  for (int i = 0; i < 20'000; ++i) {  // which takes a while to read
    commands += formatted("define name{} = {}\n", i, i);
  }
  commands += "table inet late {}\n";
  Nft(NftPlace::kChild).apply(commands);
  ASSERT_TRUE(Nft().remove("late")) << "positive control";
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const ::pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    Nft(NftPlace::kChild).apply(commands);
    ::_exit(0);
  }
  const std::string list = formatted("/proc/{0}/task/{0}/children", process);
  ::pid_t child = 0;
  while (child == 0 && ::waitpid(process, nullptr, WNOHANG) == 0) {
    std::ifstream(list) >> child;
  }
  ASSERT_NE(child, 0);
  EXPECT_EQ(::kill(process, SIGKILL), 0);
  EXPECT_EQ(::waitpid(process, nullptr, 0), process);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(Nft().exists("late"));
}

NETNS_TEST(Nft, KnowsAChainWithoutReadingItsTable) {
  Nft here;
  Nft child(NftPlace::kChild);
  Nft().apply(inside_ruleset({}));
  const test::Netns other;
  other.run([&] {
    EXPECT_TRUE(here.has_chain(kInsideTable, "leave"));
    EXPECT_TRUE(child.has_chain(kInsideTable, "leave"));
    EXPECT_FALSE(here.has_chain(kInsideTable, "nowhere"));
    EXPECT_FALSE(here.has_chain("nothing", "leave"));
    EXPECT_FALSE(Nft().has_chain(kInsideTable, "leave")) << "of another namespace";
  });
}

NETNS_TEST(Nft, AllOrNothing) {
  Nft nft;
  nft.apply(inside_ruleset({}));
  try {
    nft.apply("delete table inet vpnrun\ntable inet other { chain a { jump nowhere; }; }\n");
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot load filter rules: "), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No such file or directory"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(nft.exists(kInsideTable));
}

NETNS_TEST(Nft, StaysInTheNamespaceItWasMadeIn) {
  Nft nft;
  const test::Netns other;
  other.run([&] {
    nft.apply(inside_ruleset({}));
    EXPECT_FALSE(Nft().exists(kInsideTable));
  });
  EXPECT_TRUE(Nft().exists(kInsideTable));
}

NETNS_TEST(Nft, AChildDoesTheSame) {
  Nft nft(NftPlace::kChild);
  EXPECT_FALSE(nft.remove(kInsideTable));
  const test::Netns other;
  other.run([&] {
    nft.apply(inside_ruleset(test::Lab::inside_filter()));
    EXPECT_FALSE(Nft().exists(kInsideTable));
  });
  EXPECT_TRUE(nft.exists(kInsideTable));
  EXPECT_THROW(nft.apply("table inet other { chain a { jump nowhere; }; }"), Error);
  EXPECT_FALSE(nft.exists("other"));
  EXPECT_TRUE(nft.remove(kInsideTable));
}

}  // namespace
}  // namespace vpnrun::filter
