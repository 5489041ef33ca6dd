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
TEST(ClientOptions, HaveOpenvpnSayWhatTheServerPushes) {
  const auto last_verb = [](const std::string& own) {
    profile::OpenvpnConfig config;
    config.text = own;
    const std::string text = client_options(config, endpoints(), "tun0", "/run/m");
    const auto at = text.rfind("\nverb ");
    return at == std::string::npos ? '-' : text[at + std::string_view("\nverb ").size()];
  };
  EXPECT_EQ(last_verb(""), '3');
  EXPECT_EQ(last_verb("verb 0\n"), '3');
  EXPECT_EQ(last_verb("verb 5\n"), '5');
  EXPECT_EQ(last_verb("client\nverb 4\nnobind\n"), '4');
  EXPECT_EQ(last_verb("verb 5\nverb 1\nnobind\n"), '3');
  EXPECT_EQ(last_verb("verb 5\nsetenv opt verb 1\n"), '3');
  EXPECT_EQ(last_verb("setenv opt verb 5\n"), '-') << "none is added";
}

TEST(ClientOptions, MuteCannotHideWhatIsPushed) {
  profile::OpenvpnConfig config;
  config.text = "mute 1\n";
  EXPECT_TRUE(client_options(config, endpoints(), "tun0", "/run/m").ends_with("\nmute 0\n"));
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
