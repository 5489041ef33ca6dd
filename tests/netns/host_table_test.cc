// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several profiles in one table: what one of them changes is nobody else's.
#include "systemd/service/filter/host_table.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/sysctl.h"
#include "tests/netns/lab.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::filter {
namespace {

using nlohmann::json;
using test::kSilence;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The table of a host, as companions and whoever takes profiles back see it.
struct Host {
  Nft nft;
  test::ScratchFolder folder;

  [[nodiscard]] HostTable table() { return {nft, folder / "records"}; }
  [[nodiscard]] bool has_records() const { return std::filesystem::exists(folder / "records"); }

  /// As a companion does at its start.
  void start(const HostFilter& filter) {
    HostTable table = this->table();
    table.set(filter);
    table.set_arp(filter);
    table.set_flow_limit(filter, FlowLimit::kCount);
  }

  [[nodiscard]] json listing(const std::string& what, const char* kind) {
    const json all = json::parse(nft.list("list " + what), nullptr, false);
    json found = json::array();
    if (all.is_object()) {
      for (const auto& item : all["nftables"]) {
        if (item.contains(kind)) {
          found.push_back(item[kind]);
        }
      }
    }
    return found;
  }
  /// With its handles: a rule that was replaced has another.
  [[nodiscard]] json rules(const std::string& chain) {
    return listing(formatted("chain inet {} {}", kHostTable, chain), "rule");
  }
  [[nodiscard]] std::vector<std::string> elements(const std::string& set,
                                                  const char* family = "inet") {
    std::vector<std::string> texts;
    for (const auto& one : listing(formatted("set {} {} {}", family, kHostTable, set), "set")) {
      for (const auto& element : one.value("elem", json::array())) {
        texts.push_back(element.is_string() ? element.get<std::string>() : element.dump());
      }
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  /// Everything that is there, whatever its order and number in the kernel.
  [[nodiscard]] std::string everything() {
    std::string text;
    for (const char* family : {"inet", "arp", "ip"}) {
      text += nft.list(formatted("list table {} {}", family, kHostTable));
    }
    return text;
  }
};

HostFilter profile(int number) {
  HostFilter filter = test::Lab::host_filter();
  filter.profile_name = formatted("p{}", number);
  filter.link = formatted("vr-p{}", number);
  filter.addresses = {test::ip(formatted("10.213.{}.2", number)),
                      test::ip(formatted("10.213.{}.1", number))};
  return filter;
}

/// What a packet of a stranger walks: the rules of base chains. All others are reached through a
/// look-up that does not match.
std::pair<std::size_t, std::size_t> chains_and_rules(Host& host) {
  std::set<std::string> chains;
  std::size_t rules = 0;
  for (const char* family : {"inet", "arp", "ip"}) {
    const std::string table = formatted("table {} {}", family, kHostTable);
    for (const auto& chain : host.listing(table, "chain")) {
      if (chain.contains("hook")) {
        chains.insert(formatted("{} {}", family, chain["name"].get<std::string>()));
      }
    }
    for (const auto& rule : host.listing(table, "rule")) {
      rules += chains.count(formatted("{} {}", family, rule["chain"].get<std::string>()));
    }
  }
  return {chains.size(), rules};
}

NETNS_TEST(HostTable, AStrangersPacketPassesAsManyRulesWithTwentyProfilesAsWithOne) {
  Host host;
  HostFilter filter = profile(1);
  filter.guarded_uplinks = {"wan", "br0"};
  filter.guarded_bridges = {"br0"};
  filter.uplink = "wan";
  filter.traced = true;
  filter.expose = {{Transport::kTcp, 9091}};
  host.start(filter);
  const auto one = chains_and_rules(host);
  EXPECT_GE(one.first, 5U) << "positive control: there are rules";
  EXPECT_GE(one.second, 10U);
  for (int i = 2; i <= 20; ++i) {
    HostFilter other = filter;
    const HostFilter own = profile(i);
    other.profile_name = own.profile_name;
    other.link = own.link;
    other.addresses = own.addresses;
    host.start(other);
  }
  EXPECT_EQ(host.elements("links").size(), 20U) << "positive control";
  EXPECT_EQ(chains_and_rules(host), one);
}

NETNS_TEST(HostTable, AChangeOfOneProfileLeavesTheRulesOfTheOthersAsTheyAre) {
  Host host;
  host.start(profile(1));
  host.start(profile(2));
  const json from = host.rules("from-p1");
  const json to = host.rules("to-p1");
  const json flows = host.rules("flows-p1");
  ASSERT_EQ(flows.size(), 2U) << "positive control";
  HostFilter changed = profile(2);
  changed.endpoints = {{test::ip(test::kOtherServer), Transport::kTcp, 443}};
  changed.traced = true;
  host.table().set(changed);
  EXPECT_THAT(host.rules("from-p2").dump(), HasSubstr(test::kOtherServer));
  EXPECT_THAT(host.rules("from-p2").dump(), Not(HasSubstr("\"" + std::string(test::kServer))));
  EXPECT_EQ(host.rules("from-p1"), from);
  EXPECT_EQ(host.rules("to-p1"), to);
  EXPECT_EQ(host.rules("flows-p1"), flows) << "what it has counted is not forgotten";
  const json own = host.rules("flows-p2");
  host.table().set(profile(2));
  EXPECT_EQ(host.rules("flows-p2"), own) << "nor by a change of its own";
  host.table().remove("p2", {}, {});
  EXPECT_EQ(host.rules("flows-p1"), flows);
  EXPECT_EQ(host.rules("from-p1"), from);
}

NETNS_TEST(HostTable, NothingOfAProfileStaysWhenAnotherOneDoes) {
  Host host;
  host.start(profile(1));
  HostFilter second = profile(2);
  second.uplink = "wan";
  second.traced = true;
  second.expose = {{Transport::kUdp, 5353}};
  host.start(second);
  EXPECT_THAT(host.everything(), HasSubstr("p2"));
  host.table().remove("p2", {}, {});
  EXPECT_THAT(host.everything(), Not(HasSubstr("p2")));
  EXPECT_THAT(host.everything(), Not(HasSubstr("10.213.2.")));
  EXPECT_THAT(host.listing(formatted("chain inet {} trace", kHostTable), "chain"), IsEmpty());
  EXPECT_THAT(host.elements("own"), ElementsAre("10.213.1.1", "10.213.1.2"));
  EXPECT_THAT(host.elements("host_ends", "arp"), ElementsAre("10.213.1.1"));
  EXPECT_TRUE(host.table().has("p1"));
  EXPECT_FALSE(host.table().has("p2"));
}

NETNS_TEST(HostTable, TheLastProfileTakesTablesAndRecordsWithIt) {
  Host host;
  host.start(profile(1));
  host.start(profile(2));
  EXPECT_TRUE(host.nft.exists(kHostTable));
  EXPECT_TRUE(host.nft.exists(kHostTable, "arp"));
  host.table().remove("p1", {}, {});
  EXPECT_TRUE(host.nft.exists(kHostTable));
  EXPECT_TRUE(host.nft.exists(kHostTable, "arp"));
  host.table().remove("p2", {}, {});
  EXPECT_FALSE(host.nft.exists(kHostTable));
  EXPECT_FALSE(host.nft.exists(kHostTable, "arp"));
  EXPECT_FALSE(host.has_records());
  EXPECT_NO_THROW(host.table().remove("p2", {}, {})) << "nothing there is not an error";
}

NETNS_TEST(HostTable, WhatTwoProfilesShareStaysUntilTheSecondIsGone) {
  Host host;
  HostFilter first = profile(1);
  HostFilter second = profile(2);
  for (HostFilter* each : {&first, &second}) {
    each->traced = true;  // the same endpoint
    each->uplink = "wan";
    each->expose = {{Transport::kTcp, 9091}};
  }
  second.addresses = first.addresses;  // what no companion would choose
  host.start(first);
  host.start(second);
  EXPECT_THAT(host.elements("traced_from").size(), 1U);
  first.traced = false;
  host.table().set(first);
  EXPECT_THAT(host.elements("traced_from").size(), 1U) << "the second has its packets traced";
  EXPECT_THAT(host.elements("traced_to").size(), 1U);
  EXPECT_THAT(host.rules("trace").size(), 2U);
  host.table().remove("p1", {}, {});
  EXPECT_THAT(host.elements("own"), ElementsAre("10.213.1.1", "10.213.1.2"));
  EXPECT_THAT(host.elements("inside"), ElementsAre("10.213.1.2"));
  EXPECT_THAT(host.elements("host_ends", "arp"), ElementsAre("10.213.1.1"));
  EXPECT_THAT(host.rules("trace").size(), 2U);
  second.traced = false;
  host.table().set(second);
  EXPECT_THAT(host.rules("trace"), IsEmpty());
  EXPECT_THAT(host.elements("traced_from"), IsEmpty());
}

NETNS_TEST(HostTable, WhatAKilledCompanionLeftIsReplacedByTheNext) {
  Host host;
  host.start(profile(1));
  HostFilter former = profile(2);
  former.uplink = "wan";
  former.traced = true;
  host.start(former);
  HostFilter next = profile(2);
  next.addresses = profile(7).addresses;
  host.start(next);
  EXPECT_THAT(host.elements("own"),
              ElementsAre("10.213.1.1", "10.213.1.2", "10.213.7.1", "10.213.7.2"));
  EXPECT_THAT(host.elements("inside"), ElementsAre("10.213.1.2", "10.213.7.2"));
  EXPECT_THAT(host.elements("host_ends", "arp"), ElementsAre("10.213.1.1", "10.213.7.1"));
  EXPECT_THAT(host.elements("bound"), IsEmpty());
  EXPECT_THAT(host.elements("uplinks"), IsEmpty());
  EXPECT_THAT(host.elements("traced_to"), IsEmpty());
}

NETNS_TEST(HostTable, ACompanionKilledBetweenRecordAndTransactionLeavesNothing) {
  Host host;
  host.start(profile(1));
  // What set() has recorded, when nothing of it is in the kernel.
  std::string lines;
  for (const auto& line : host_elements(profile(2))) {
    lines += line + "\n";
  }
  host.folder.write("records/p2", lines);
  host.table().remove("p2", {}, {});
  EXPECT_THAT(host.everything(), Not(HasSubstr("p2")));
  EXPECT_THAT(host.elements("own"), ElementsAre("10.213.1.1", "10.213.1.2"));
  EXPECT_FALSE(std::filesystem::exists(host.folder / "records/p2"));
  host.folder.write("records/p2", lines);
  host.start(profile(2));
  EXPECT_THAT(host.elements("links"), ElementsAre("vr-p1", "vr-p2"));
}

NETNS_TEST(HostTable, ATransactionThatTheKernelRefusesChangesNothing) {
  Host host;
  host.start(profile(1));
  host.start(profile(2));
  // Its link belongs to a chain of the first, which the records do not tell.
  host.nft.apply(formatted("add element inet {} from {{ \"vr-p3\" : goto from-p1 }}", kHostTable));
  const std::string before = host.everything();
  EXPECT_THROW(host.table().set(profile(3)), Error);
  EXPECT_EQ(host.everything(), before);
  EXPECT_TRUE(host.table().has("p1"));
}

/// As after `nft flush ruleset` and the rules that somebody saved when they were others.
NETNS_TEST(HostTable, KnowsATableThatOnlyHasItsName) {
  Host host;
  HostTable table = host.table();
  table.set(profile(1));
  EXPECT_TRUE(table.has("p1"));
  host.start(profile(2));
  EXPECT_TRUE(table.has("p1")) << "another companion's part is no other table";
  host.nft.apply(formatted(
      "delete table inet {0}\ntable inet {0} {{\n  chain from-p1 {{\n  }}\n}}\n", kHostTable));
  EXPECT_FALSE(table.has("p1"));
  table.set(profile(1));
  EXPECT_TRUE(table.has("p1"));
}

NETNS_TEST(HostTable, WhatCannotBeRecordedIsNotLoaded) {
  Host host;
  host.folder.write("records", "a file where the folder should be");
  EXPECT_THROW(host.table().set(profile(1)), Error);
  EXPECT_FALSE(host.nft.exists(kHostTable));
}

NETNS_TEST(HostTable, WithoutItsRecordsACompanionKeepsTheLimitOfItsFlows) {
  Host host;
  HostTable table = host.table();
  table.set(profile(1));
  table.set_flow_limit(profile(1), FlowLimit::kCount);
  std::filesystem::remove_all(host.folder / "records");
  table.set(profile(1));
  EXPECT_EQ(host.rules("flows-p1").size(), 2U);
}

NETNS_TEST(HostTable, TheLinkOfAnotherProfileIsRefused) {
  Host host;
  host.start(profile(1));
  HostFilter intruder = profile(2);
  intruder.link = profile(1).link;
  const std::string before = host.everything();
  EXPECT_THROW(host.table().set(intruder), Error);
  EXPECT_EQ(host.everything(), before);
  EXPECT_NO_THROW(host.table().remove("p2", {}, {}));
  EXPECT_EQ(host.everything(), before);
}

NETNS_TEST(HostTable, ATableThatWasDeletedIsMadeAgainPieceByPiece) {
  Host host;
  HostFilter first = profile(1);
  first.guarded_uplinks = {"wan"};
  HostFilter second = profile(2);
  second.guarded_uplinks = {"wan"};
  host.start(first);
  host.start(second);
  EXPECT_TRUE(host.table().guards(first));
  host.nft.apply("flush ruleset");
  EXPECT_FALSE(host.table().has("p1"));
  host.start(second);
  EXPECT_TRUE(host.table().has("p2"));
  EXPECT_FALSE(host.table().has("p1")) << "each puts back its own";
  EXPECT_THAT(host.elements("guarded"), ElementsAre("wan"));
  EXPECT_THAT(host.rules("unasked").size(), 3U);
  host.start(first);
  EXPECT_THAT(host.elements("links"), ElementsAre("vr-p1", "vr-p2"));
  EXPECT_THAT(host.elements("host_ends", "arp"), ElementsAre("10.213.1.1", "10.213.2.1"));
}

NETNS_TEST(HostTable, WhatWasSavedAndLoadedAgainIsNobodys) {
  Host host;
  host.nft.apply(host_ruleset(profile(9), {}));
  host.nft.apply(host_arp_ruleset(host_elements(profile(9)), {}));
  host.start(profile(1));
  EXPECT_THAT(host.everything(), Not(HasSubstr("p9")));
  EXPECT_THAT(host.elements("own"), ElementsAre("10.213.1.1", "10.213.1.2"));
  EXPECT_THAT(host.elements("host_ends", "arp"), ElementsAre("10.213.1.1"));
}

NETNS_TEST(HostTable, TheGuardIsOfAllAndOutlivesTheProfileThatAskedForIt) {
  Host host;
  HostFilter first = profile(1);
  first.guarded_uplinks = {"br0", "wan"};
  first.guarded_bridges = {"br0"};
  host.start(first);
  EXPECT_THAT(host.elements("guarded"), ElementsAre("wan"));
  EXPECT_THAT(host.elements("bridges"), ElementsAre("br0"));
  HostFilter second = profile(2);
  second.guarded_uplinks = {"br0", "lan", "wan"};
  second.guarded_bridges = {"br0"};
  EXPECT_FALSE(host.table().guards(second));
  host.start(second);
  EXPECT_TRUE(host.table().guards(second));
  EXPECT_FALSE(host.table().guards(first)) << "known to the first, too";
  EXPECT_THAT(host.elements("guarded"), ElementsAre("lan", "wan"));
  host.table().remove("p2", {"wan"}, {});
  EXPECT_THAT(host.elements("guarded"), ElementsAre("wan"));
  EXPECT_THAT(host.elements("bridges"), IsEmpty());
  EXPECT_THAT(host.elements("bridge_ports"), IsEmpty());
}

NETNS_TEST(HostTable, TheTablesOfAFormerVersionGoWithTheNextStartOrWithRelease) {
  Host host;
  const auto former = [&host](const std::string& name) {
    for (const char* family : {"inet", "arp", "ip"}) {
      host.nft.apply(formatted("table {} {} {{ }}", family, former_host_table(name)));
    }
  };
  const auto left = [&host](const std::string& name) {
    int count = 0;
    for (const char* family : {"inet", "arp", "ip"}) {
      count += host.nft.exists(former_host_table(name), family) ? 1 : 0;
    }
    return count;
  };
  former("p1");
  former("p11");
  EXPECT_EQ(left("p1"), 3) << "positive control";
  host.start(profile(1));
  EXPECT_EQ(left("p1"), 0);
  EXPECT_EQ(left("p11"), 3) << "its companion lives";
  host.table().remove("p11", {}, {});
  EXPECT_EQ(left("p11"), 0);
  EXPECT_TRUE(host.table().has("p1"));
}

/// A second namespace behind the lab's host, with a link as the first has it.
struct Second {
  Second() {
    netlink::Socket socket;
    EXPECT_TRUE(netlink::create_veth(socket, {"vr-p2", "uplink", netns.fd(), 0, {}, {}}));
    configure("vr-p2", "10.213.2.1/30");
    EXPECT_EQ(netlink::write_sysctl("net/ipv4/conf/vr-p2/forwarding", "1"), 0);
    netns.run([] {
      configure("uplink", "10.213.2.2/30");
      netlink::Socket there;
      netlink::Route route;
      route.destination = Prefix::default_network(Family::kIpv4);
      route.gateway = test::ip("10.213.2.1");
      route.ifindex = netlink::find_link(there, "uplink")->index;
      netlink::replace_route(there, route);
    });
  }
  static void configure(const char* name, const char* address) {
    netlink::Socket socket;
    const int index = netlink::find_link(socket, name)->index;
    netlink::LinkChange up;
    up.up = true;
    EXPECT_TRUE(netlink::change_link(socket, index, up));
    EXPECT_TRUE(netlink::add_address(socket, {index, test::prefix(address), {}}));
  }
  test::Netns netns;
};

/// Whether a datagram of a new socket arrives, and its answer; with the sender's address.
std::string asks(const test::Netns& from, const char* source, int server, std::uint16_t port) {
  UniqueFd client;
  from.run([&] { client = test::udp_socket(source); });
  while (test::receive(server, 0)) {
    // what was asked before
  }
  if (test::send_to(client.get(), test::kServer, port, "x") != 0) {
    return "not sent";
  }
  const auto query = test::receive(server, kSilence);
  if (!query) {
    return "lost";
  }
  if (test::send_to(server, query->source, query->port, "y") != 0 || !test::receive(client.get())) {
    return "no answer";
  }
  return query->source;
}

NETNS_TEST(HostTable, OneProfilesChangesNeitherOpenNorCloseAnothers) {
  const test::Lab lab;
  const Second second;
  UniqueFd endpoint;
  UniqueFd other_port;
  lab.server.run([&] {
    endpoint = test::udp_socket(test::kServer, test::kEndpointPort);
    other_port = test::udp_socket(test::kServer, 1195);
    netlink::Socket there;
    netlink::Route back;
    back.destination = test::prefix("10.213.2.0/30");
    back.gateway = test::ip(test::kHostWan);
    back.ifindex = netlink::find_link(there, "eth0")->index;
    netlink::replace_route(there, back);
  });
  // The new link's first packets may be lost.
  std::string way;
  for (int i = 0; i < 50 && way != "10.213.2.2"; ++i) {
    way = asks(second.netns, "10.213.2.2", other_port.get(), 1195);
  }
  EXPECT_EQ(way, "10.213.2.2") << "positive control: without a filter it gets out";
  Host host;
  const HostFilter first = test::Lab::host_filter();
  const auto both_work = [&](const char* when) {
    EXPECT_EQ(asks(lab.inside, test::kNsEnd, endpoint.get(), test::kEndpointPort), test::kHostWan)
        << when;
    EXPECT_EQ(asks(second.netns, "10.213.2.2", endpoint.get(), test::kEndpointPort), test::kHostWan)
        << when;
    EXPECT_EQ(asks(second.netns, "10.213.2.2", other_port.get(), 1195), "lost") << when;
  };
  host.start(profile(2));
  host.start(first);
  both_work("the same endpoint for both");
  HostFilter changed = first;
  changed.traced = true;
  changed.endpoints.push_back({test::ip(test::kServer), Transport::kUdp, 1195});
  host.table().set(changed);
  EXPECT_EQ(asks(second.netns, "10.213.2.2", other_port.get(), 1195), "lost")
      << "the endpoint of another profile";
  changed.endpoints.clear();
  host.table().set(changed);
  EXPECT_EQ(asks(lab.inside, test::kNsEnd, endpoint.get(), test::kEndpointPort), "lost")
      << "closed";
  EXPECT_EQ(asks(second.netns, "10.213.2.2", endpoint.get(), test::kEndpointPort), test::kHostWan);
  host.table().set(first);
  both_work("opened again");
  host.table().remove(first.profile_name, {}, {});
  EXPECT_EQ(asks(second.netns, "10.213.2.2", endpoint.get(), test::kEndpointPort), test::kHostWan);
  EXPECT_EQ(asks(second.netns, "10.213.2.2", other_port.get(), 1195), "lost");
}

}  // namespace
}  // namespace vpnrun::filter
