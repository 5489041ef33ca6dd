// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "profiles/base/error.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/inside_filter.h"

namespace vpnrun::filter {
namespace {

using testing::HasSubstr;
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

TEST(InsideFilter, QueriesGoToTheFirstResolverOfTheirFamily) {
  const std::string text = inside_ruleset(inside());
  EXPECT_THAT(text, HasSubstr("ip daddr != { 10.8.0.1, 10.8.0.3 } meta l4proto { tcp, udp } "
                              "th dport 53 dnat ip to 10.8.0.1"));
  EXPECT_THAT(text, HasSubstr("dnat ip6 to fd00:8::1"));
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

TEST(HostFilter, HasATableForEachProfile) {
  EXPECT_THAT(host_ruleset(host()), StartsWith("table inet vpnrun-work\n"));
  EXPECT_EQ(host_table("a_b-c"), "vpnrun-a_b-c");
}

TEST(HostFilter, LooksAtOurLinkOnlyAndDropsTheRestOfIt) {
  const std::string text = host_ruleset(host());
  EXPECT_THAT(text, HasSubstr("iifname \"vr-work\" goto from_link"));
  EXPECT_THAT(text, HasSubstr("oifname \"vr-work\" goto to_link"));
  EXPECT_THAT(text, Not(HasSubstr("policy drop")));
  EXPECT_THAT(text, Not(HasSubstr("established")));
  EXPECT_THAT(text, Not(HasSubstr("hook forward")));
}

TEST(HostFilter, GuardsOnlyTheNamedUplinks) {
  HostFilter filter = host();
  filter.guarded_uplinks = {"eth0", "wlan0"};
  EXPECT_THAT(host_ruleset(filter),
              HasSubstr("iifname { \"eth0\", \"wlan0\" } oifname != \"vr-*\" goto guarded"));
}

TEST(HostFilter, JudgesNothingThatABridgeCarriesBetweenItsPorts) {
  HostFilter filter = host();
  filter.guarded_uplinks = {"br0", "eth0"};
  filter.guarded_bridges = {"br0"};
  const std::string text = host_ruleset(filter);
  EXPECT_THAT(text,
              HasSubstr("iifname \"br0\" oifname != \"br0\" oifname != \"vr-*\" goto guarded"));
  EXPECT_THAT(text, HasSubstr("iifname { \"eth0\" } fib daddr type unicast"));
  EXPECT_THAT(text, HasSubstr("iifname { \"eth0\" } oifname != \"vr-*\" goto guarded"));
}

TEST(HostFilter, TracesOnlyWhenAsked) {
  HostFilter filter = host();
  EXPECT_THAT(host_ruleset(filter), Not(HasSubstr("nftrace")));
  filter.traced = true;
  EXPECT_THAT(host_ruleset(filter), HasSubstr("iifname \"vr-work\" ip daddr . meta l4proto"));
  EXPECT_THAT(host_ruleset(filter), HasSubstr("meta nftrace set 1"));
}

TEST(HostFilter, LeavesByTheNamedUplinkOnly) {
  HostFilter filter = host();
  EXPECT_THAT(host_ruleset(filter), Not(HasSubstr("one_uplink")));
  filter.uplink = "eth0";
  EXPECT_THAT(host_ruleset(filter), HasSubstr("iifname \"vr-work\" oifname != \"eth0\" drop"));
}

TEST(HostFilter, RefusesNamesThatCouldBeReadAsRules) {
  for (const char* name : {"", "a\" drop", "a*", "a b", "a-name-too-long-for-it", "a\n", "a\\"}) {
    HostFilter filter = host();
    filter.link = name;
    EXPECT_THROW((void)host_ruleset(filter), Error) << name;
    filter = host();
    filter.guarded_uplinks = {name};
    EXPECT_THROW((void)host_ruleset(filter), Error) << name;
  }
}

TEST(HostFilter, RefusesAnIpv6Endpoint) {
  HostFilter filter = host();
  filter.endpoints.front().address = ip("2001:db8::1");
  EXPECT_THROW((void)host_ruleset(filter), Error);
}

}  // namespace
}  // namespace vpnrun::filter
