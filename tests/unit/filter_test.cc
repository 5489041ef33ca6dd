// SPDX-License-Identifier: GPL-2.0-or-later
#include <sstream>

#include <gmock/gmock.h>

#include "profiles/base/error.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/inside_filter.h"

namespace vpnrun::filter {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

InsideFilter inside() {
  InsideFilter filter;
  filter.client_uid = 987;
  filter.link = {ip("10.213.0.2"), ip("10.213.0.1")};
  filter.endpoints = {{ip("198.51.100.10"), Transport::kUdp, 1194},
                      {ip("198.51.100.10"), Transport::kTcp, 443}};
  filter.dns_servers = {ip("10.8.0.1"), ip("fd00:8::1"), ip("10.8.0.3")};
  return filter;
}

HostFilter host() {
  HostFilter filter;
  filter.profile_name = "work";
  filter.link = "vr-work";
  filter.addresses = {ip("10.213.0.2"), ip("10.213.0.1")};
  filter.endpoints = {{ip("198.51.100.10"), Transport::kUdp, 1194}};
  return filter;
}

TEST(InsideFilter, ReplacesTheWholeTableInOneTransaction) {
  EXPECT_THAT(inside_ruleset({}),
              StartsWith("table inet vpnrun\ndelete table inet vpnrun\ntable inet vpnrun {\n"));
}

TEST(InsideFilter, ADefaultOneLetsNothingOverTheVeth) {
  const std::string text = inside_ruleset({});
  EXPECT_THAT(text, Not(HasSubstr("skuid")));
  EXPECT_THAT(text, HasSubstr("chain to_uplink {\n    drop\n"));
  EXPECT_THAT(text, Not(HasSubstr("dnat")));
  EXPECT_THAT(text, HasSubstr("hook output priority 0; policy drop"));
  EXPECT_THAT(text, HasSubstr("hook input priority 0; policy drop"));
  EXPECT_THAT(text, HasSubstr("hook forward priority 0; policy drop"));
  EXPECT_THAT(text, HasSubstr("hook postrouting priority 300; policy drop"));
}

TEST(InsideFilter, EndpointsWithoutAVethOpenNothing) {
  InsideFilter filter = inside();
  filter.link.reset();
  EXPECT_THAT(inside_ruleset(filter), Not(HasSubstr("198.51.100.10")));
}

TEST(InsideFilter, TheClientIsBoundToUserSourceAddressProtocolAndPort) {
  EXPECT_THAT(inside_ruleset(inside()),
              HasSubstr("meta skuid 987 ip saddr 10.213.0.2 ip daddr . meta l4proto . th dport "
                        "{ 198.51.100.10 . udp . 1194, 198.51.100.10 . tcp . 443 } accept"));
}

TEST(InsideFilter, QueriesGoToAResolverOfTheirFamily) {
  InsideFilter filter = inside();
  const std::string text = inside_ruleset(filter);
  EXPECT_THAT(text, HasSubstr("ip daddr != { 10.8.0.1, 10.8.0.3 } meta l4proto { tcp, udp } "
                              "th dport 53 goto resolve_ip\n"));
  EXPECT_THAT(text, HasSubstr("th dport 53 dnat ip6 to fd00:8::1\n")) << "the only one";
  EXPECT_THAT(text, Not(HasSubstr("resolve_ip6")));
  filter.next_resolver = false;
  EXPECT_THAT(inside_ruleset(filter),
              HasSubstr("ip daddr != { 10.8.0.1, 10.8.0.3 } meta l4proto { tcp, udp } "
                        "th dport 53 dnat ip to 10.8.0.1\n"));
  EXPECT_THAT(inside_ruleset(filter), Not(HasSubstr("resolve_ip")));
}

TEST(InsideFilter, OfManyResolversThreeTakeTurnsAndTheLastIsNotPassedOver) {
  InsideFilter filter = inside();
  filter.dns_servers = {ip("10.8.0.1"), ip("10.8.0.3"), ip("10.8.0.5"), ip("10.8.0.7")};
  const std::string text = inside_ruleset(filter);
  EXPECT_THAT(text, HasSubstr("    goto resolve_ip_2\n"));
  EXPECT_THAT(text, HasSubstr("chain resolve_ip_2 {\n    dnat ip to 10.8.0.5\n"));
  EXPECT_THAT(text, Not(HasSubstr("10.8.0.7\n")));
}

TEST(InsideFilter, WhatComesFromARetiredAddressIsAnsweredBeforeAnythingElse) {
  InsideFilter filter = inside();
  EXPECT_THAT(inside_ruleset(filter), Not(HasSubstr("retired")));
  filter.retired_addresses = {ip("10.8.0.9"), ip("fd00:8::9")};
  EXPECT_THAT(inside_ruleset(filter),
              HasSubstr("hook output priority 0; policy drop;\n"
                        "    oifname \"tun0\" ip saddr { 10.8.0.9 } goto retired\n"
                        "    oifname \"tun0\" ip6 saddr { fd00:8::9 } goto retired\n"));
}

TEST(InsideFilter, WithoutCaptureNothingIsSaidAboutPort53) {
  InsideFilter filter = inside();
  filter.capture = false;
  EXPECT_THAT(inside_ruleset(filter), Not(HasSubstr("port 53")));
}

TEST(InsideFilter, RefusesIpv6OnTheVeth) {
  InsideFilter filter = inside();
  filter.endpoints.front().address = ip("2001:db8::1");
  EXPECT_THROW((void)inside_ruleset(filter), Error);
  filter = inside();
  filter.link->ns_address = ip("fd00::1");
  EXPECT_THROW((void)inside_ruleset(filter), Error);
}

/// From and to: what stands between two texts, the first excluded.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto start = text.find(from);
  return start == std::string::npos
             ? ""
             : text.substr(start + from.size(),
                           text.find(to, start + from.size()) - start - from.size());
}

TEST(HostFilter, HasOneTableForAllProfiles) {
  const HostRest others{{"inet links \"vr-home\""}, {}, false};
  EXPECT_THAT(host_ruleset(host(), others), StartsWith("table inet vpnrun_links {\n"));
  EXPECT_THAT(host_ruleset(host(), others), Not(HasSubstr("delete")));
  EXPECT_THAT(host_ruleset(host(), {}),
              StartsWith("table inet vpnrun_links\ndelete table inet vpnrun_links\n"));
  EXPECT_EQ(former_host_table("a_b-c"), "vpnrun-a_b-c");
  for (const char* ours : {"vpnrun_links", "vpnrun-work"}) {
    EXPECT_TRUE(is_host_table(ours)) << ours;
  }
  for (const char* other : {"vpnrun", "vpnrun_link", "filter", ""}) {
    EXPECT_FALSE(is_host_table(other)) << other;
  }
}

TEST(HostFilter, ListsWhatIsItsOwnInTheTable) {
  HostFilter filter = host();
  EXPECT_THAT(host_elements(filter),
              ElementsAre("arp host_ends 10.213.0.1", "flow flows \"vr-work\" : goto flows-work",
                          "inet from \"vr-work\" : goto from-work", "inet inside 10.213.0.2",
                          "inet links \"vr-work\"", "inet own 10.213.0.1", "inet own 10.213.0.2",
                          "inet to \"vr-work\" : goto to-work"));
  filter.uplink = "eth0";
  filter.traced = true;
  EXPECT_THAT(host_elements(filter),
              IsSupersetOf({"inet bound \"vr-work\"", "inet uplinks \"vr-work\" . \"eth0\"",
                            "inet traced_to \"vr-work\" . 198.51.100.10 . udp . 1194",
                            "inet traced_from 198.51.100.10 . udp . 1194"}));
}

TEST(HostFilter, LooksAtOurLinkOnlyAndDropsTheRestOfIt) {
  const std::string text = host_ruleset(host(), {});
  EXPECT_THAT(text, HasSubstr("element inet vpnrun_links from { \"vr-work\" : goto from-work }"));
  EXPECT_THAT(text, HasSubstr("element inet vpnrun_links to { \"vr-work\" : goto to-work }"));
  EXPECT_THAT(text, HasSubstr("  chain from-work {\n"
                              "    ip saddr 10.213.0.2 ip daddr 198.51.100.10 ip daddr != @own "
                              "meta l4proto udp th dport 1194 accept\n    drop\n  }\n"));
  EXPECT_THAT(text, HasSubstr("ct state related accept\n    drop\n  }\n"));
  EXPECT_THAT(text, Not(HasSubstr("policy drop")));
}

/// Whatever is dropped in a chain that packets of strangers pass is dropped by an address or an
/// interface that is in a set of ours.
TEST(HostFilter, DropsNothingInASharedChainThatIsNotLookedUp) {
  const std::string text = host_ruleset(host(), {});
  for (const char* chain : {"from_namespace", "judged", "forwarded", "to_namespace", "source"}) {
    const std::string flushed = "flush chain inet vpnrun_links source\n";
    const std::string rules =
        between(text.substr(text.find(flushed)), std::string("  chain ") + chain + " {\n", "  }\n");
    EXPECT_THAT(rules, Not(IsEmpty())) << chain;
    std::istringstream lines(rules);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_THAT(line, HasSubstr("@")) << chain;
    }
  }
}

TEST(HostFilter, GuardsOnlyTheNamedUplinks) {
  HostFilter filter = host();
  EXPECT_THAT(host_ruleset(filter, {}), Not(HasSubstr("add element inet vpnrun_links guarded")));
  EXPECT_THAT(host_ruleset(filter, {}), Not(HasSubstr("fib daddr")))
      << "a kernel may be without it";
  filter.guarded_uplinks = {"eth0", "wlan0"};
  EXPECT_THAT(host_ruleset(filter, {}),
              HasSubstr("flush set inet vpnrun_links bridge_ports\n"
                        "add element inet vpnrun_links guarded { \"eth0\" }\n"
                        "add element inet vpnrun_links guarded { \"wlan0\" }\n"
                        "flush chain inet vpnrun_links unasked\n"));
  EXPECT_THAT(host_ruleset(filter, {}), HasSubstr("fib daddr type != unicast accept"));
}

TEST(HostFilter, JudgesNothingThatABridgeCarriesBetweenItsPorts) {
  HostFilter filter = host();
  filter.guarded_uplinks = {"br0", "eth0"};
  filter.guarded_bridges = {"br0"};
  const std::string text = host_ruleset(filter, {});
  EXPECT_THAT(text, HasSubstr("guarded { \"eth0\" }"));
  EXPECT_THAT(text, Not(HasSubstr("guarded { \"br0\" }")));
  EXPECT_THAT(text, HasSubstr("bridges { \"br0\" }"));
  EXPECT_THAT(text, HasSubstr("bridge_ports { \"br0\" . \"br0\" }"));
  EXPECT_THAT(text, HasSubstr("iifname . oifname @bridge_ports accept\n    oifname \"vr-*\""));
}

TEST(HostFilter, TracesOnlyWhenAsked) {
  const HostElements traced = {"inet traced_from 198.51.100.10 . udp . 1194",
                               "inet traced_to \"vr-home\" . 198.51.100.10 . udp . 1194"};
  HostFilter filter = host();
  EXPECT_THAT(host_ruleset(filter, {}), Not(HasSubstr("nftrace")));
  filter.traced = true;
  EXPECT_THAT(host_ruleset(filter, {}),
              HasSubstr("@traced_to limit rate 20/second burst 40 packets meta nftrace set 1"));
  filter.traced = false;
  EXPECT_THAT(host_ruleset(filter, {{}, traced, false}),
              HasSubstr("delete chain inet vpnrun_links trace\n"));
  EXPECT_THAT(host_ruleset(filter, {traced, traced, false}), Not(HasSubstr("delete")))
      << "another profile has the same endpoint traced";
}

TEST(HostFilter, LeavesByTheNamedUplinkOnly) {
  HostFilter filter = host();
  EXPECT_THAT(host_ruleset(filter, {}), Not(HasSubstr("vpnrun_links uplinks {")));
  filter.uplink = "eth0";
  EXPECT_THAT(host_ruleset(filter, {}), HasSubstr("uplinks { \"vr-work\" . \"eth0\" }"));
}

TEST(HostFilter, DeletesWhatIsNotItsOwnAnyMoreUnlessAnotherProfileHasIt) {
  const HostRest rest{{"inet own 10.9.0.1"},
                      {"inet own 10.9.0.1", "inet own 10.9.0.2", "arp host_ends 10.9.0.1"},
                      false};
  const std::string text = host_ruleset(host(), rest);
  EXPECT_THAT(text, HasSubstr("add element inet vpnrun_links own { 10.9.0.2 }\n"
                              "delete element inet vpnrun_links own { 10.9.0.2 }\n"));
  EXPECT_THAT(text, Not(HasSubstr("10.9.0.1")));
  EXPECT_THAT(host_arp_ruleset(host_elements(host()), rest),
              HasSubstr("delete element arp vpnrun_links host_ends { 10.9.0.1 }\n"));
}

TEST(HostFilter, ARemovalTakesTheProfilesChains) {
  const std::string text = host_removal(
      "work", {{"inet links \"vr-home\""}, host_elements(host()), false}, {"eth0"}, {});
  EXPECT_THAT(text, HasSubstr("delete element inet vpnrun_links flows "
                              "{ \"vr-work\" : goto flows-work }\n"));
  EXPECT_THAT(text, HasSubstr("guarded { \"eth0\" }"));
  EXPECT_THAT(text, EndsWith("flush chain inet vpnrun_links flows-work\n"
                             "delete chain inet vpnrun_links flows-work\n"));
}

TEST(HostFilter, RefusesNamesThatCouldBeReadAsRules) {
  for (const char* name : {"", "a\" drop", "a*", "a b", "a-name-too-long-for-it", "a\n", "a\\"}) {
    HostFilter filter = host();
    filter.link = name;
    EXPECT_THROW((void)host_ruleset(filter, {}), Error) << name;
    filter = host();
    filter.guarded_uplinks = {name};
    EXPECT_THROW((void)host_ruleset(filter, {}), Error) << name;
    EXPECT_THROW((void)host_removal("work", {}, {name}, {}), Error) << name;
  }
}

TEST(HostFilter, RefusesAnIpv6Endpoint) {
  HostFilter filter = host();
  filter.endpoints.front().address = ip("2001:db8::1");
  EXPECT_THROW((void)host_ruleset(filter, {}), Error);
}

}  // namespace
}  // namespace vpnrun::filter
