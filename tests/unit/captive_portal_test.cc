// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/captive_portal.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using ::testing::HasSubstr;

IpAddress literal(const std::string& text) {
  return *IpAddress::parse(text);
}

class CaptivePortalTest : public testing::Test {
 protected:
  bool is_seen() { return recognise_portal(servers_, names_, signs_).has_value(); }

  std::vector<profile::Remote> servers_ = {{"a.example", 1194, Transport::kUdp},
                                           {"b.example", 443, Transport::kTcp}};
  NameLookup::Result names_;
  PortalSigns signs_{"", literal("192.168.77.1"), std::nullopt};
};

TEST_F(CaptivePortalTest, OrdinaryAnswersAreNoSign) {
  EXPECT_FALSE(is_seen());
  names_.addresses["a.example"] = {literal("198.51.100.10")};
  names_.addresses["b.example"] = {literal("198.51.100.20")};
  EXPECT_FALSE(is_seen());
  names_.addresses["b.example"] = {literal("198.51.100.10")};
  EXPECT_FALSE(is_seen()) << "two names of one server";
}

TEST_F(CaptivePortalTest, AllNamesAtTheGatewayAreASign) {
  names_.addresses["a.example"] = {literal("192.168.77.1")};
  EXPECT_TRUE(is_seen());
  names_.addresses["b.example"] = {literal("198.51.100.20")};
  EXPECT_FALSE(is_seen());
}

TEST_F(CaptivePortalTest, AnAddressOfTheConfigurationIsNoAnswer) {
  servers_ = {{"192.168.77.1", 1194, Transport::kUdp}};
  names_.addresses["192.168.77.1"] = {literal("192.168.77.1")};
  EXPECT_FALSE(is_seen());
}

TEST_F(CaptivePortalTest, DifferentNamesAtOnePrivateAddressAreASign) {
  names_.addresses["a.example"] = {literal("10.1.2.3")};
  EXPECT_FALSE(is_seen()) << "a company's server";
  names_.addresses["b.example"] = {literal("10.1.2.3")};
  EXPECT_TRUE(is_seen());
  names_.addresses["b.example"] = {literal("10.1.2.4")};
  EXPECT_FALSE(is_seen());
}

TEST_F(CaptivePortalTest, APageThatTheNetworkNamesIsASignAndIsSaid) {
  signs_.page = "https://portal.example/";
  const auto portal = recognise_portal(servers_, names_, signs_);
  ASSERT_TRUE(portal);
  const Failure failure =
      behind_portal({Failure::Kind::kPassing, "no answer", "is it up?"}, *portal);
  EXPECT_EQ(failure.kind, Failure::Kind::kPassing);
  EXPECT_EQ(failure.error,
            "no answer; it seems that this network wants a log-in in a browser first (captive "
            "portal)");
  EXPECT_THAT(failure.hint, HasSubstr("open https://portal.example/ in a browser outside the "
                                      "tunnel"));
  EXPECT_THAT(behind_portal(failure, Portal{}).hint, HasSubstr("http://"));
}

TEST_F(CaptivePortalTest, WhoHasLoggedInDoesNotWaitForTheRestOfABackOff) {
  const auto pause = [](Failure::Kind kind) {
    return behind_portal({kind, "no answer", ""}, Portal{}).retry_within;
  };
  EXPECT_EQ(pause(Failure::Kind::kPassing), std::chrono::seconds(10));
  EXPECT_EQ(pause(Failure::Kind::kPeer), std::chrono::seconds(10)) << "the portal itself answers";
  EXPECT_EQ(pause(Failure::Kind::kOutside), std::chrono::seconds(0)) << "the server answers";
}

TEST_F(CaptivePortalTest, WhatNetworkManagerHasFoundOutCounts) {
  signs_.connectivity = Connectivity::kPortal;
  EXPECT_TRUE(is_seen());
  for (const auto other : {Connectivity::kUnknown, Connectivity::kNone, Connectivity::kLimited}) {
    signs_.connectivity = other;
    EXPECT_FALSE(is_seen());
  }
  signs_.connectivity = Connectivity::kFull;
  signs_.page = "https://portal.example/";
  EXPECT_FALSE(is_seen()) << "somebody has logged in";
}

TEST_F(CaptivePortalTest, ThePageIsFoundInNetworkdsFile) {
  EXPECT_EQ(
      page_in_state("# comment\nOPER_STATE=routable\nCAPTIVE_PORTAL=http://192.0.2.1/log?a=1\n"),
      "http://192.0.2.1/log?a=1");
  EXPECT_EQ(page_in_state("CAPTIVE_PORTAL=http://x.example"), "http://x.example");
  EXPECT_EQ(page_in_state("CAPTIVE_PORTAL=http://x.example/?$(reboot)"),
            "http://x.example/?%24%28reboot%29")
      << "people copy it, also into a shell";
  EXPECT_EQ(page_in_state(""), "");
  EXPECT_EQ(page_in_state("OPER_STATE=routable\n"), "");
}

TEST_F(CaptivePortalTest, WhatIsNoPageIsNotShown) {
  for (const std::string& page :
       {std::string("javascript:alert(1)"), std::string("http://x\x1b[2J"),
        std::string("http://a b"), std::string("http://x;\"reboot\""), std::string(""),
        std::string("http://bank.example@evil/"), std::string("http:///x"),
        "http://" + std::string(300, 'x')}) {
    EXPECT_EQ(page_in_state("CAPTIVE_PORTAL=" + page + "\n"), "") << page;
  }
}

}  // namespace
}  // namespace vpnrun::service
