// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/ip_address.h"

#include <array>

#include <gtest/gtest.h>

namespace vpnrun::netlink {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->str() : "refused";
}

std::string network_of(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  return prefix ? prefix->network().str() : "refused";
}

bool overlap(std::string_view a, std::string_view b) {
  const bool result = Prefix::parse(a)->overlaps(*Prefix::parse(b));
  EXPECT_EQ(result, Prefix::parse(b)->overlaps(*Prefix::parse(a)));
  return result;
}

TEST(IpAddress, ParsesAndWritesCanonicalText) {
  EXPECT_EQ(round_trip("10.8.0.2"), "10.8.0.2");
  EXPECT_EQ(round_trip("FD00:8:0:0:0:0:0:2"), "fd00:8::2");
  EXPECT_EQ(round_trip("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
}

TEST(IpAddress, RefusesWhatIsNoLiteral) {
  for (const char* text : {"", "localhost", "10.8.0", "10.8.0.256", "10.8.0.2 ", "fe80::1%eth0",
                           "10.8.0.2/24", "[::1]", "1.2.3.4:53"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.8.0.2\0x", 10)));
}

TEST(IpAddress, ConvertsBetweenNumbersBytesAndText) {
  const IpAddress address = IpAddress::from_ipv4(0x0a080002);
  EXPECT_EQ(address.str(), "10.8.0.2");
  EXPECT_EQ(address.ipv4_value(), 0x0a080002U);
  EXPECT_EQ(IpAddress::from_bytes(address.bytes()), address);
  EXPECT_EQ(IpAddress::parse("::1")->bytes().size(), 16U);
  EXPECT_EQ(IpAddress::parse("::1")->ipv4_value(), 0U);
  const std::array<std::uint8_t, 5> five{};
  EXPECT_FALSE(IpAddress::from_bytes(five));
}

TEST(IpAddress, KnowsLoopback) {
  EXPECT_TRUE(IpAddress::parse("127.0.0.53")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("fd00::1")->is_loopback());
}

TEST(Prefix, ParsesWithAndWithoutLength) {
  EXPECT_EQ(Prefix::parse("10.8.0.2/24")->str(), "10.8.0.2/24");
  EXPECT_EQ(Prefix::parse("10.8.0.2")->str(), "10.8.0.2/32");
  EXPECT_EQ(Prefix::parse("fd00::1")->str(), "fd00::1/128");
  for (const char* text : {"10.8.0.2/33", "::/129", "10.8.0.2/", "10.8.0.2/-1", "10.8.0.2/2 4",
                           "10.8.0.2/24/1", "/24", "10.8.0.2/0x18"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, NetworkClearsHostBits) {
  EXPECT_EQ(network_of("10.213.7.9/30"), "10.213.7.8/30");
  EXPECT_EQ(network_of("10.213.7.9/0"), "0.0.0.0/0");
  EXPECT_EQ(network_of("10.213.7.9/32"), "10.213.7.9/32");
  EXPECT_EQ(network_of("172.31.255.255/12"), "172.16.0.0/12");
  EXPECT_EQ(network_of("fd00:8:1234::1/36"), "fd00:8:1000::/36");
}

TEST(Prefix, OverlapsWhenOneContainsTheOther) {
  EXPECT_TRUE(overlap("10.0.0.0/8", "10.213.7.8/30"));
  EXPECT_TRUE(overlap("10.213.7.9/30", "10.213.7.10/32"));
  EXPECT_TRUE(overlap("0.0.0.0/0", "10.0.0.0/8"));
  EXPECT_FALSE(overlap("10.213.7.8/30", "10.213.7.12/30"));
  EXPECT_FALSE(overlap("0.0.0.0/0", "::/0"));
  EXPECT_TRUE(Prefix::parse("10.8.0.0/24")->contains(*IpAddress::parse("10.8.0.255")));
  EXPECT_FALSE(Prefix::parse("10.8.0.0/24")->contains(*IpAddress::parse("10.8.1.0")));
}

}  // namespace
}  // namespace vpnrun::netlink
