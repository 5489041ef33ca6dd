// SPDX-License-Identifier: GPL-2.0-or-later
//
// The outer end of a link in a namespace that the process is not in. Inside there is no filter, as
// if root there had removed it.
#include "systemd/service/link/veth_link.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/link/no_link.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/rule.h"
#include "tests/netns/link_lab.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

using test::LinkLab;

UniqueFd udp_in(Netns& netns, const std::string& address, std::uint16_t port = 0) {
  return netns.run([&] { return test::udp_socket(address, port); });
}

std::string inner_address(const Link& link) {
  return link.addresses().value().inner.str();
}

/// Inside, everything leads over the link.
void route_everything(LinkLab& lab, const Link& link) {
  netlink::Route route;
  route.destination = Prefix::default_network(Family::kIpv4);
  route.gateway = link.addresses().value().outer;
  route.ifindex = netlink::find_link(lab.inside.socket(), "uplink").value().index;
  netlink::replace_route(lab.inside.socket(), route);
}

std::vector<std::string> links_of(Netns& netns) {
  std::vector<std::string> names;
  for (const auto& link : netlink::list_links(netns.socket())) {
    names.push_back(link.name);
  }
  return names;
}

bool has_a_table(Netns& netns) {
  return netns.nft().list("list tables").find("\"table\"") != std::string::npos;
}

NETNS_TEST(VethLink, CarriesTheEndpointsPacketsAndNoOthersBetweenTwoNamespacesThatNobodyIsIn) {
  LinkLab lab;
  Netns here = Netns::here();
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  EXPECT_EQ(link.addresses()->outer_device, "vr-lab");
  link.open({LinkLab::endpoint()});
  route_everything(lab, link);
  const UniqueFd client = udp_in(lab.inside, inner_address(link));
  const UniqueFd server = udp_in(lab.beyond, LinkLab::kServer, LinkLab::kPort);

  const auto out = lab.send_to_endpoint(client.get());
  ASSERT_TRUE(out) << "positive control";
  EXPECT_EQ(out->source, LinkLab::kWan);
  const auto query = test::receive(server.get());
  ASSERT_TRUE(query);
  ASSERT_EQ(test::send_to(server.get(), query->source, query->port, "answer"), 0);
  EXPECT_TRUE(test::receive(client.get()));
  (void)lab.captured();

  const auto try_others = [&] {
    (void)test::send_to(client.get(), LinkLab::kServer, 1195, "x");
    (void)test::send_to(client.get(), LinkLab::kOtherServer, LinkLab::kPort, "x");
    lab.inside.run([] { (void)test::tcp_connect(LinkLab::kServer, LinkLab::kPort); });
  };
  try_others();
  EXPECT_EQ(lab.captured(), std::vector<std::string>());
  EXPECT_TRUE(lab.send_to_endpoint(client.get())) << "positive control";
  ASSERT_TRUE(lab.outer.nft().remove(filter::kHostTable));
  try_others();
  EXPECT_GE(lab.captured().size(), 3U) << "positive control";

  EXPECT_EQ(links_of(here), std::vector<std::string>{"lo"}) << "the process's own namespace";
  EXPECT_FALSE(has_a_table(here));
  EXPECT_EQ(here.read_sysctl("net/ipv4/conf/lo/forwarding"), "0");
}

NETNS_TEST(VethLink, LetsNothingOutUntilItIsOpenedAndAfterItIsClosed) {
  LinkLab lab;
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  route_everything(lab, link);
  const UniqueFd client = udp_in(lab.inside, inner_address(link));
  const auto try_endpoint = [&] {
    (void)test::send_to(client.get(), LinkLab::kServer, LinkLab::kPort, "x");
    return lab.captured();
  };
  EXPECT_EQ(try_endpoint(), std::vector<std::string>());
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(lab.send_to_endpoint(client.get())) << "positive control";
  (void)lab.captured();
  link.open({});
  EXPECT_EQ(try_endpoint(), std::vector<std::string>());
  link.open({LinkLab::endpoint()});
  EXPECT_TRUE(lab.send_to_endpoint(client.get())) << "positive control";
}

NETNS_TEST(VethLink, SaysThatARuleLeadsItsSubnetElsewhereAndTakesAnotherOne) {
  LinkLab lab;
  const auto lead_away = [&lab](const char* network) {
    netlink::Route route;
    route.destination = test::prefix(network);
    route.ifindex = netlink::find_link(lab.outer.socket(), "wan").value().index;
    route.table = 220;
    netlink::replace_route(lab.outer.socket(), route);
    (void)netlink::add_rule(lab.outer.socket(), {Family::kIpv4, 220, 220, {}});
  };
  {
    VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
    EXPECT_TRUE(test::prefix("10.213.0.0/16").contains(link.addresses()->inner));
    lead_away("10.0.0.0/8");
    try {
      link.open({LinkLab::endpoint()});
      ADD_FAILURE() << "its answers go elsewhere";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("elsewhere on 'wan'"), std::string::npos)
          << error.what();
    }
    link.open({});  // it can be closed all the same
  }
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  EXPECT_FALSE(test::prefix("10.213.0.0/16").contains(link.addresses()->inner));
  link.open({LinkLab::endpoint()});
}

NETNS_TEST(VethLink, LeavesTheOuterNamespaceAsItWas) {
  LinkLab lab;
  namespace fs = std::filesystem;
  const auto before = links_of(lab.outer);
  {
    VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
    link.open({LinkLab::endpoint()});
    link.settled();
    EXPECT_NE(lab.outer.read_sysctl("net/ipv4/conf/wan/forwarding"), "0") << "positive control";
    EXPECT_TRUE(fs::exists("/run/vpnrun/.forwarding-outer/wan/lab")) << "positive control";
    EXPECT_TRUE(has_a_table(lab.outer)) << "positive control";
  }
  EXPECT_EQ(links_of(lab.outer), before);
  EXPECT_FALSE(netlink::find_link(lab.inside.socket(), "uplink"));
  EXPECT_EQ(lab.outer.read_sysctl("net/ipv4/conf/wan/forwarding"), "0");
  EXPECT_FALSE(has_a_table(lab.outer));
  EXPECT_FALSE(fs::exists("/run/vpnrun/.forwarding-outer"));
}

/// The loop turns until the endpoint is reached again. What is sent is not waited for.
bool comes_back(LinkLab& lab, const Link& link) {
  (void)lab.captured(1);
  return lab.turn_until([&] {
    try {
      const UniqueFd client = udp_in(lab.inside, inner_address(link));
      (void)test::send_to(client.get(), LinkLab::kServer, LinkLab::kPort, "hello");
    } catch (const Error&) {
      return false;  // the address is not back
    }
    return test::read_packet(lab.capture.get(), 10).has_value();
  });
}

NETNS_TEST(VethLink, MendsWhatSomebodyInItsOuterNamespaceBreaks) {
  LinkLab lab;
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(comes_back(lab, link));
  ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), "vr-lab"));
  EXPECT_TRUE(comes_back(lab, link)) << "the link was deleted";
  ASSERT_EQ(lab.outer.write_sysctl("net/ipv4/ip_forward", "0"), 0);
  EXPECT_TRUE(comes_back(lab, link)) << "forwarding was turned off";
  lab.outer.nft().apply("flush ruleset");
  EXPECT_TRUE(lab.turn_until([&] { return lab.outer.nft().exists(filter::kHostTable); }));
  EXPECT_TRUE(comes_back(lab, link)) << "the rules were flushed";
}

/// Somebody else's firewall.
void drop_what_is_forwarded(Netns& netns) {
  netns.nft().apply(
      "table inet strict {\n chain through {\n"
      "  type filter hook forward priority 10; policy drop;\n }\n}");
}

NETNS_TEST(VethLink, TellsWhatDropsItsPacketsOnceForEachAttempt) {
  LinkLab lab;
  int blocked = 0;
  Failure reason;
  LinkEvents events;
  events.blocked = [&](const Failure& failure) {
    ++blocked;
    reason = failure;
  };
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, events);
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(comes_back(lab, link)) << "positive control";
  drop_what_is_forwarded(lab.outer);
  const UniqueFd client = udp_in(lab.inside, inner_address(link));
  const auto drops = [&](int until) {
    return lab.turn_until([&] {
      (void)test::send_to(client.get(), LinkLab::kServer, LinkLab::kPort, "x");
      return blocked == until;
    });
  };
  EXPECT_TRUE(drops(1));
  EXPECT_NE(reason.error.find("chain 'through' of table 'inet strict', by its policy"),
            std::string::npos)
      << reason.error;
  EXPECT_NE(reason.hint.find("vr-lab"), std::string::npos) << reason.hint;
  link.open({LinkLab::endpoint()});
  EXPECT_TRUE(drops(2)) << "a new attempt";
  link.settled();
  ASSERT_TRUE(lab.turn_until([&] {
    return lab.outer.nft().list("list table inet vpnrun-lab").find("trace") == std::string::npos;
  }));
  (void)lab.captured(1);
  lab.outer.nft().apply("delete table inet strict");
  EXPECT_TRUE(comes_back(lab, link)) << "positive control";
  EXPECT_EQ(blocked, 2);
}

NETNS_TEST(VethLink, OpensAForeignFirewallThatTheProfileWantsOpened) {
  LinkLab lab;
  int unblocked = 0;
  LinkEvents events;
  events.blocked = [](const Failure& failure) { ADD_FAILURE() << failure.error; };
  events.unblocked = [&] { ++unblocked; };
  auto profile = LinkLab::profile();
  profile.link.firewall = profile::Firewall::kIntegrate;
  {
    VethLink link(lab.loop, profile, lab.outer, lab.inside, events);
    drop_what_is_forwarded(lab.outer);
    link.open({LinkLab::endpoint()});
    EXPECT_TRUE(comes_back(lab, link));
    EXPECT_EQ(unblocked, 1);
    EXPECT_NE(lab.outer.nft().list("list chain inet strict through").find("vr-lab"),
              std::string::npos);
  }
  EXPECT_EQ(lab.outer.nft().list("list chain inet strict through").find("vr-lab"),
            std::string::npos);
}

NETNS_TEST(VethLink, TwoProfilesWhoseNamesHaveTheSameShortFormHaveALinkEach) {
  LinkLab lab;
  Netns other_inside = Netns::fresh("customer-11386");
  Netns its_outer(UniqueFd(::fcntl(lab.outer.fd(), F_DUPFD_CLOEXEC, 3)), "outer");
  std::string name;
  {
    VethLink first(lab.loop, LinkLab::profile("customer-6188"), lab.outer, lab.inside, {});
    first.open({LinkLab::endpoint()});
    name = first.addresses()->outer_device;
    VethLink second(lab.loop, LinkLab::profile("customer-11386"), its_outer, other_inside, {});
    EXPECT_NE(second.addresses()->outer_device, name);
    EXPECT_TRUE(comes_back(lab, first));
    EXPECT_EQ(netlink::find_link(lab.outer.socket(), name)->alias, "vpnrun: customer-6188");
    remove_veth_link(lab.outer, nullptr, "customer-11386");
    EXPECT_FALSE(netlink::find_link(lab.outer.socket(), second.addresses()->outer_device))
        << "by its alias, without its namespace";
    EXPECT_TRUE(comes_back(lab, first));
  }
  VethLink second(lab.loop, LinkLab::profile("customer-11386"), its_outer, other_inside, {});
  EXPECT_EQ(second.addresses()->outer_device, name) << "it is free now";
}

NETNS_TEST(VethLink, LeavesALinkOfSomebodyElsesThatHasItsNameAlone) {
  LinkLab lab;
  test::make_strange_link(lab.outer, "vr-lab");
  const int index = netlink::find_link(lab.outer.socket(), "vr-lab").value().index;
  {
    VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
    link.open({LinkLab::endpoint()});
    EXPECT_NE(link.addresses()->outer_device, "vr-lab");
    EXPECT_TRUE(comes_back(lab, link));
    ASSERT_TRUE(netlink::find_link(lab.outer.socket(), "vr-lab"));
    EXPECT_EQ(netlink::find_link(lab.outer.socket(), "vr-lab")->index, index);
    // Made again, it keeps its name, though the better one is free.
    ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), "vr-lab"));
    const std::string name = link.addresses()->outer_device;
    ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), name));
    EXPECT_TRUE(comes_back(lab, link));
    EXPECT_EQ(link.addresses()->outer_device, name);
    // That name is somebody else's now: the link gets another, and so do its rules.
    ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), name));
    test::make_strange_link(lab.outer, name);
    EXPECT_TRUE(comes_back(lab, link));
    EXPECT_EQ(link.addresses()->outer_device, "vr-lab");
    EXPECT_TRUE(netlink::find_link(lab.outer.socket(), name));
  }
  EXPECT_FALSE(netlink::find_link(lab.outer.socket(), "vr-lab"));
}

void rename_link(Netns& netns, const std::string& name, const std::string& wanted) {
  netlink::LinkChange down;
  down.up = false;
  ASSERT_TRUE(netlink::change_link(netns.socket(),
                                   netlink::find_link(netns.socket(), name).value().index, down));
  netns.run([&] {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    wanted.copy(request.ifr_newname, sizeof request.ifr_newname - 1);
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFNAME, &request), 0);
  });
}

NETNS_TEST(VethLink, ARenamedLinkIsMadeAnewAndWhatHasItsNameIsLeftAlone) {
  LinkLab lab;
  LinkEvents events;
  events.maybe_online = [] {};
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, std::move(events));
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(comes_back(lab, link));
  test::make_strange_link(lab.outer, "strange");
  const int strange = netlink::find_link(lab.outer.socket(), "strange").value().index;
  rename_link(lab.outer, "vr-lab", "moved");
  rename_link(lab.outer, "strange", "vr-lab");
  EXPECT_TRUE(comes_back(lab, link));
  EXPECT_NE(link.addresses()->outer_device, "vr-lab");
  const auto found = netlink::find_link(lab.outer.socket(), "vr-lab");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, strange);
  EXPECT_FALSE(found->up);
  for (const auto& address : netlink::list_addresses(lab.outer.socket())) {
    EXPECT_NE(address.ifindex, strange) << address.address.str();
  }
}

NETNS_TEST(VethLink, UnderAnotherNameItIsNotUpBeforeItsFilterIsLoaded) {
  LinkLab lab;
  LinkEvents events;
  events.maybe_online = [] {};
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, std::move(events));
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(comes_back(lab, link));
  // What the profiles have in the table cannot be read for now.
  namespace fs = std::filesystem;
  fs::rename("/run/vpnrun/.links-outer", "/run/vpnrun/.aside");
  std::ofstream("/run/vpnrun/.links-outer") << "no folder";
  ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), "vr-lab"));
  test::make_strange_link(lab.outer, "vr-lab");
  ASSERT_TRUE(lab.turn_until([&] { return link.addresses()->outer_device != "vr-lab"; }));
  test::make_strange_link(lab.outer, "news");  // one look more, at least
  const auto end = lab.loop.now() + std::chrono::seconds(2);
  (void)lab.turn_until([&] { return lab.loop.now() > end; });
  EXPECT_FALSE(netlink::find_link(lab.outer.socket(), link.addresses()->outer_device).value().up);
  fs::remove("/run/vpnrun/.links-outer");
  fs::rename("/run/vpnrun/.aside", "/run/vpnrun/.links-outer");
  EXPECT_TRUE(comes_back(lab, link));
}

NETNS_TEST(VethLink, ASavedRulesetThatIsLoadedAgainDoesNotStay) {
  LinkLab lab;
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  link.open({LinkLab::endpoint()});
  link.settled();
  ASSERT_TRUE(comes_back(lab, link));
  const auto has = [&lab](const std::string& what, const char* text) {
    return lab.outer.nft()
               .list(formatted("list {} inet {} {}", what.substr(0, what.find(' ')),
                               filter::kHostTable, what.substr(what.find(' ') + 1)))
               .find(text) != std::string::npos;
  };
  ASSERT_TRUE(has("set guarded", "wan"));
  lab.outer.nft().apply(
      formatted("flush ruleset\ntable inet {} {{\n  set guarded {{\n    type ifname\n  }}\n"
                "  chain from-lab {{\n    ip daddr {} accept\n  }}\n}}\n",
                filter::kHostTable, LinkLab::kOtherServer));
  ASSERT_TRUE(has("chain from-lab", LinkLab::kOtherServer)) << "positive control";
  EXPECT_TRUE(lab.turn_until([&] { return !has("chain from-lab", LinkLab::kOtherServer); }));
  EXPECT_TRUE(has("chain from-lab", LinkLab::kServer));
  EXPECT_TRUE(has("set guarded", "wan"));
  EXPECT_TRUE(comes_back(lab, link));
}

/// While this lives nobody can have the host's lock.
struct NoLock {
  NoLock() {
    std::filesystem::rename("/run/vpnrun", "/run/aside");
    std::ofstream("/run/vpnrun") << "no folder";
  }
  NoLock(const NoLock&) = delete;
  NoLock& operator=(const NoLock&) = delete;
  NoLock(NoLock&&) = delete;
  NoLock& operator=(NoLock&&) = delete;
  ~NoLock() {
    std::filesystem::remove("/run/vpnrun");
    std::filesystem::rename("/run/aside", "/run/vpnrun");
  }
};

NETNS_TEST(VethLink, WhatCouldNotBeLoadedForWantOfTheLockIsLoadedLater) {
  LinkLab lab;
  LinkEvents events;
  events.maybe_online = [] {};
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, std::move(events));
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(lab.outer.nft().has_chain(filter::kHostTable, "trace"));
  link.settled();
  {
    const NoLock none;
    const auto end = lab.loop.now() + std::chrono::milliseconds(300);
    (void)lab.turn_until([&] { return lab.loop.now() > end; });
  }
  EXPECT_TRUE(
      lab.turn_until([&] { return !lab.outer.nft().has_chain(filter::kHostTable, "trace"); }));
  {
    const NoLock none;
    EXPECT_THROW(link.open({}), Error);
  }
  const auto is_open = [&lab] {
    return lab.outer.nft()
               .list(formatted("list chain inet {} from-lab", filter::kHostTable))
               .find(LinkLab::kServer) != std::string::npos;
  };
  ASSERT_TRUE(is_open()) << "positive control";
  test::make_strange_link(lab.outer, "news");
  EXPECT_TRUE(lab.turn_until([&] { return !is_open(); }));
}

NETNS_TEST(VethLink, ReplacesWhatAnEarlierVersionOrAnUnfinishedStartLeft) {
  LinkLab lab;
  ASSERT_TRUE(
      netlink::create_veth(lab.outer.socket(), {"vr-lab", "uplink", lab.inside.fd(), 0, {}, {}}));
  {
    VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
    EXPECT_EQ(link.addresses()->outer_device, "vr-lab");
    link.open({LinkLab::endpoint()});
    EXPECT_TRUE(comes_back(lab, link));
  }
  ASSERT_TRUE(
      netlink::create_veth(lab.outer.socket(), {"vr-lab", "uplink", lab.inside.fd(), 0, {}, {}}));
  remove_veth_link(lab.outer, &lab.inside, "lab");
  EXPECT_FALSE(netlink::find_link(lab.outer.socket(), "vr-lab"));
}

TEST(NoLink, LeadsNowhereAndHasNothingInside) {
  NoLink link;
  EXPECT_TRUE(link.check(test::ip("198.51.100.10")));
  EXPECT_FALSE(link.addresses());
  link.open({});
  link.settled();
}

}  // namespace
}  // namespace vpnrun::service
