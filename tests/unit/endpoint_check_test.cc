// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/endpoint_check.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

netlink::RouteAnswer way(std::uint8_t type) {
  netlink::RouteAnswer answer;
  answer.ifindex = 2;
  answer.type = type;
  return answer;
}

Prefix link() {
  return {ip("10.213.7.1"), 30};
}

TEST(EndpointCheck, NoServerIsAtAnAddressOfSpecialUse) {
  struct Case {
    const char* address;
    const char* reason;
    bool blocked;
  };
  const std::vector<Case> cases = {
      {"0.0.0.0", "not a server's address", true},
      {"0.1.2.3", "not a server's address", true},
      {"127.0.0.1", "loopback", true},
      {"127.0.1.1", "loopback", true},
      {"127.255.255.255", "loopback", true},
      {"224.0.0.1", "multicast", false},
      {"239.255.255.255", "multicast", false},
      {"240.0.0.1", "reserved", false},
      {"255.255.255.254", "reserved", false},
      {"255.255.255.255", "broadcast", true},
      {"::1", "loopback", true},
      {"2001:db8::1", "IPv6", false},
  };
  for (const auto& one : cases) {
    const auto unusable = check_address(ip(one.address));
    ASSERT_TRUE(unusable) << one.address;
    EXPECT_THAT(unusable->reason, StartsWith(std::string(one.address) + " is"));
    EXPECT_THAT(unusable->reason, HasSubstr(one.reason));
    EXPECT_EQ(unusable->resolvers_block, one.blocked) << one.address;
    EXPECT_TRUE(unusable->forever) << one.address;
    EXPECT_TRUE(check_address_here(ip(one.address), way(RTN_UNICAST), link(), {})) << one.address;
  }
}

TEST(EndpointCheck, AServerMayBeOnAnyOtherNetwork) {
  for (const char* address :
       {"1.0.0.0", "1.1.1.1", "10.0.0.1", "100.64.0.1", "126.255.255.255", "128.0.0.1",
        "169.254.10.1", "172.16.0.1", "192.168.77.2", "198.51.100.10", "223.255.255.255"}) {
    EXPECT_FALSE(check_address(ip(address))) << address;
    EXPECT_FALSE(check_address_here(ip(address), way(RTN_UNICAST), link(), {})) << address;
    EXPECT_FALSE(check_address_here(ip(address), std::nullopt, link(), {})) << "no way now";
  }
}

TEST(EndpointCheck, TheBroadcastAddressOfANetworkIsRefusedAsLongAsItIsOne) {
  const auto unusable = check_address_here(ip("192.168.77.255"), way(RTN_BROADCAST), link(), {});
  ASSERT_TRUE(unusable);
  EXPECT_THAT(unusable->reason, HasSubstr("192.168.77.255 is the broadcast address of a network"));
  EXPECT_FALSE(unusable->forever);
}

TEST(EndpointCheck, ARelayMayListenAtAnAddressOfTheMachine) {
  EXPECT_FALSE(check_address_here(ip("192.168.77.2"), way(RTN_LOCAL), link(), {}));
  EXPECT_FALSE(check_address_here(ip("10.213.7.1"), way(RTN_LOCAL), link(), std::vector{link()}))
      << "also at the host's end of the link";
}

TEST(EndpointCheck, NothingElseInALinksNetworkIsAServer) {
  const auto own = check_address_here(ip("10.213.7.2"), way(RTN_UNICAST), link(), {});
  ASSERT_TRUE(own);
  EXPECT_THAT(own->reason, HasSubstr("10.213.7.0/30"));
  EXPECT_THAT(own->hint, HasSubstr("[link] subnet"));
  EXPECT_FALSE(own->forever);
  const std::vector<Prefix> links = {link(), {ip("10.213.9.1"), 30}};
  for (const char* address : {"10.213.9.1", "10.213.9.2"}) {
    const auto other = check_address_here(ip(address), way(RTN_LOCAL), link(), links);
    ASSERT_TRUE(other) << address;
    EXPECT_THAT(other->reason, HasSubstr("another profile's link, 10.213.9.0/30"));
  }
}

}  // namespace
}  // namespace vpnrun::service
