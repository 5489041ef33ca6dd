// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/remotes_check.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

profile::OpenvpnConfig config_with(const std::vector<std::string>& hosts) {
  profile::OpenvpnConfig config;
  std::size_t line = 0;
  for (const std::string& host : hosts) {
    config.remotes.push_back({host, 1194, Transport::kUdp, false, ++line});
  }
  return config;
}

Error error_of(const std::vector<std::string>& hosts) {
  profile::OpenvpnConfig config = config_with(hosts);
  try {
    leave_out_unreachable(config, "/p/work.ovpn");
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

TEST(RemotesCheck, RefusesLoopbackAndNamesTheWayThatWorks) {
  for (const char* host : {"127.0.0.1", "127.3.2.1", "::1", "localhost", "LocalHost.",
                           "x.localhost", "ip6-localhost"}) {
    const Error error = error_of({host});
    EXPECT_THAT(error.what(),
                AllOf(StartsWith("/p/work.ovpn:1: the configuration names no usable server: "),
                      HasSubstr("is a loopback address, which inside the namespace means the "
                                "namespace itself")))
        << host;
    EXPECT_THAT(error.hint(), HasSubstr("a relay on this machine must listen at an address that is "
                                        "not loopback"));
  }
}

TEST(RemotesCheck, RefusesIpv6WhichTheLinkDoesNotCarry) {
  const Error error = error_of({"2001:db8:51::10"});
  EXPECT_THAT(error.what(), HasSubstr("2001:db8:51::10 is an IPv6 address, which the link to the "
                                      "server cannot carry"));
  EXPECT_THAT(error.hint(), HasSubstr("IPv4"));
}

TEST(RemotesCheck, RefusesAllAtOnce) {
  const Error error = error_of({"127.0.0.1", "2001:db8::1", "0.0.0.0"});
  EXPECT_THAT(error.what(), AllOf(HasSubstr("/p/work.ovpn:1: "), HasSubstr("\n/p/work.ovpn:2: "),
                                  HasSubstr("\n/p/work.ovpn:3: ")));
}

TEST(RemotesCheck, LeavesOutWhatOthersMakeUpFor) {
  profile::OpenvpnConfig config = config_with({"127.0.0.1", "vpn.example", "::1", "192.0.2.1"});
  leave_out_unreachable(config, "/p/work.ovpn");
  ASSERT_THAT(config.remotes, SizeIs(2));
  EXPECT_EQ(config.remotes[0].host, "vpn.example");
  EXPECT_EQ(config.remotes[1].host, "192.0.2.1");
  ASSERT_THAT(config.left_out, SizeIs(2));
  EXPECT_EQ(config.left_out[0].directive, "remote 127.0.0.1");
  EXPECT_EQ(config.left_out[1].lines, std::vector<std::uint32_t>{3});
  EXPECT_THAT(config.left_out[0].reason, HasSubstr("the others are used"));
  EXPECT_EQ(config.left_out[0].severity, Severity::kNotice);
}

TEST(RemotesCheck, LeavesNamesAndPrivateAddressesToTheLookup) {
  EXPECT_STREQ(error_of({"vpn.example"}).what(), "no error");
  EXPECT_STREQ(error_of({"192.168.1.1"}).what(), "no error");
  EXPECT_STREQ(error_of({"localhost.example"}).what(), "no error");
}

}  // namespace
}  // namespace vpnrun::service
