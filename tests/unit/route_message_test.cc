// SPDX-License-Identifier: GPL-2.0-or-later
// Messages about routes that libnl takes for whole and that are not.
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include <netlink/msg.h>

#include "systemd/service/netlink/message.h"

namespace vpnrun::netlink {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A default route of IPv4 with this attribute.
MessagePtr route_with(int type, const Bytes& data) {
  MessagePtr message(::nlmsg_alloc_simple(RTM_NEWROUTE, 0));
  ::rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_type = RTN_UNICAST;
  EXPECT_EQ(::nlmsg_append(message.get(), &route, sizeof route, NLMSG_ALIGNTO), 0);
  const std::uint32_t device = 1;
  EXPECT_EQ(::nla_put(message.get(), RTA_OIF, sizeof device, &device), 0);
  EXPECT_EQ(::nla_put(message.get(), type, static_cast<int>(data.size()), data.data()), 0);
  return message;
}

/// A next hop over the loopback with this attribute in it.
Bytes hop_with(std::uint16_t type, const Bytes& data) {
  ::rtnexthop hop{};
  hop.rtnh_ifindex = 1;
  hop.rtnh_len = static_cast<std::uint16_t>(sizeof hop + RTA_LENGTH(data.size()));
  const ::rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(data.size())), type};
  Bytes bytes(RTNH_ALIGN(hop.rtnh_len));
  std::memcpy(bytes.data(), &hop, sizeof hop);
  std::memcpy(&bytes.at(sizeof hop), &attribute, sizeof attribute);
  std::copy(data.begin(), data.end(), bytes.begin() + sizeof hop + RTA_LENGTH(0));
  return bytes;
}

int events_of(const MessagePtr& message) {
  int events = 0;
  read_event(message.get(), [&events](const Event& /*event*/) { ++events; });
  return events;
}

void expect_left_alone(int type, const Bytes& data) {
  const MessagePtr message = route_with(type, data);
  EXPECT_FALSE(parse_route(message.get()));
  EXPECT_EQ(events_of(message), 0);
}

TEST(RouteMessage, IsReadIfItIsWhole) {
  const Bytes gateway = {AF_INET6, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(events_of(route_with(RTA_VIA, gateway)), 1);
  EXPECT_TRUE(parse_route(route_with(RTA_VIA, gateway).get()));
  EXPECT_EQ(events_of(route_with(RTA_MULTIPATH, hop_with(RTA_VIA, gateway))), 1);
}

TEST(RouteMessage, IsLeftAloneIfAGatewayIsTooShortForItsFamily) {
  for (const auto& cut : {Bytes{}, Bytes{AF_INET6}}) {
    expect_left_alone(RTA_VIA, cut);
    expect_left_alone(RTA_MULTIPATH, hop_with(RTA_VIA, cut));
  }
}

TEST(RouteMessage, IsLeftAloneIfANextHopIsNotAsLongAsItSays) {
  Bytes hop = hop_with(RTA_GATEWAY, {192, 0, 2, 1});
  EXPECT_EQ(events_of(route_with(RTA_MULTIPATH, hop)), 1);
  for (const std::uint8_t length : Bytes{0, 4, 17, 200}) {
    hop[0] = length;
    expect_left_alone(RTA_MULTIPATH, hop);
  }
}

}  // namespace
}  // namespace vpnrun::netlink
