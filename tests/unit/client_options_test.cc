// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systemd/service/client/openvpn/process.h"

namespace vpnrun::service::openvpn {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Endpoint> endpoints() {
  return {{*IpAddress::parse("198.51.100.10"), Transport::kUdp, 1194},
          {*IpAddress::parse("198.51.100.20"), Transport::kTcp, 443}};
}

TEST(ClientOptions, NameTheServersByAddressInTheirOrder) {
  const std::string text = client_options({}, endpoints(), "tun0", "/run/m");
  const auto first = text.find("remote 198.51.100.10 1194 udp4\n");
  const auto second = text.find("remote 198.51.100.20 443 tcp4-client\n");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(second, std::string::npos);
  EXPECT_LT(first, second);
}

TEST(ClientOptions, LetOpenvpnRunNothingAndChangeNoAddressOrRoute) {
  const std::string text = client_options({}, endpoints(), "tun0", "/run/m");
  for (const char* line :
       {"ifconfig-noexec\n", "route-noexec\n", "script-security 1\n", "management /run/m unix\n",
        "management-client\n", "management-hold\n", "management-query-passwords\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(ClientOptions, AskForAUserNameOnlyIfTheConfigurationDoes) {
  profile::OpenvpnConfig config;
  EXPECT_THAT(client_options(config, endpoints(), "tun0", "/run/m"),
              Not(HasSubstr("auth-user-pass")));
  config.needs_user_pass = true;
  EXPECT_THAT(client_options(config, endpoints(), "tun0", "/run/m"), HasSubstr("auth-user-pass\n"));
}

// OpenVPN 2.7 tells nobody else what `dns` options the server pushed.
TEST(ClientOptions, HaveOpenvpnSayWhyItFailsAndWhatTheServerPushes) {
  profile::OpenvpnConfig config;
  config.text = "client\nverb 0\nmute 1\n";
  const std::string text = client_options(config, endpoints(), "tun0", "/run/m");
  EXPECT_TRUE(text.ends_with("\nverb 3\nmute 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("verb 0")));
  EXPECT_LT(text.find("pull-filter ignore"), text.find("\nclient\n"));
}

TEST(ClientOptions, LetAPersonsPasswordSurviveARefusal) {
  EXPECT_THAT(client_options({}, endpoints(), "tun0", "/run/m"),
              HasSubstr("auth-retry nointeract\n"));
}

TEST(Flow, LetsAPieceThroughAndThenAsksForAPause) {
  Flow flow;
  const EventLoop::Clock::time_point now(std::chrono::seconds(1000));
  std::size_t read = 0;
  while (read < 10 * Flow::kPiece && !flow.is_enough(now, 4096)) {
    read += 4096;
  }
  EXPECT_EQ(read, Flow::kPiece - 4096);
  EXPECT_FALSE(flow.is_enough(now, 4096)) << "a new piece";
}

TEST(Flow, AsksNothingOfWhoPausesByItself) {
  Flow flow;
  EventLoop::Clock::time_point now(std::chrono::seconds(1000));
  for (int i = 0; i < 1000; ++i, now += Flow::kPause) {
    ASSERT_FALSE(flow.is_enough(now, Flow::kPiece - 1));
  }
}

}  // namespace
}  // namespace vpnrun::service::openvpn
