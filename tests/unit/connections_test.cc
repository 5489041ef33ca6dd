// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/connections.h"

#include <netinet/tcp.h>

#include <bit>
#include <string>

#include <gtest/gtest.h>

namespace vpnrun::netlink {
namespace {

/// A word of an address, as the kernel lists what stands in memory as `bytes`.
std::string word(const std::string& bytes) {
  if constexpr (std::endian::native == std::endian::big) {
    return bytes;
  }
  return bytes.substr(6) + bytes.substr(4, 2) + bytes.substr(2, 2) + bytes.substr(0, 2);
}

std::string line(const std::string& address, const std::string& state) {
  return "  12: " + address + ":C350 " + address + ":0050 " + state +
         " 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 20 4";
}

TEST(ListedSocket, HasItsOwnAddressAndState) {
  const auto v4 = parse_listed_socket(line(word("0A080002"), "01"));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->source, *IpAddress::parse("10.8.0.2"));
  EXPECT_EQ(v4->state, unsigned{TCP_ESTABLISHED});
  const auto v6 = parse_listed_socket(
      line(word("FD000008") + word("00000000") + word("00000000") + word("00000002"), "0A"));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->source, *IpAddress::parse("fd00:8::2"));
  EXPECT_EQ(v6->state, unsigned{TCP_LISTEN});
}

TEST(ListedSocket, OfIpv4ThatIsWrittenInIpv6IsOneOfIpv4) {
  const auto mapped = parse_listed_socket(
      line(word("00000000") + word("00000000") + word("0000FFFF") + word("0A080002"), "01"));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->source, *IpAddress::parse("10.8.0.2"));
}

TEST(ListedSocket, IsNothingElse) {
  EXPECT_FALSE(parse_listed_socket(""));
  EXPECT_FALSE(parse_listed_socket("   "));
  EXPECT_FALSE(parse_listed_socket("  sl  local_address rem_address   st tx_queue rx_queue tr"));
  EXPECT_FALSE(parse_listed_socket("  12: 0200080A:C350"));
  EXPECT_FALSE(parse_listed_socket(line("0200080", "01")));
  EXPECT_FALSE(parse_listed_socket(line("0200080G", "01")));
  EXPECT_FALSE(parse_listed_socket(line("0200080A0", "01")));
  EXPECT_FALSE(parse_listed_socket(line("0200080A", "20")));
  EXPECT_FALSE(parse_listed_socket(line("0200080A", "x")));
}

}  // namespace
}  // namespace vpnrun::netlink
