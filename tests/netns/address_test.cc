// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/address.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/netns/netns_process.h"
#include "tests/netns/packets.h"

namespace vpnrun::netlink {
namespace {

using test::ip;
using test::prefix;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

class OneLink {
 public:
  OneLink() {
    EXPECT_TRUE(create_veth(socket, {"vr-a", "uplink", peer_.fd(), 0, {}, {}}));
    index = find_link(socket, "vr-a")->index;
    LinkChange up;
    up.up = true;
    EXPECT_TRUE(change_link(socket, index, up));
  }
  Socket socket;
  int index = 0;

 private:
  test::Netns peer_;
};

NETNS_TEST(Address, AddsOnceAndDeletesOnce) {
  OneLink link;
  for (const char* text : {"10.213.0.1/30", "fd00:213::1/64"}) {
    const InterfaceAddress address{link.index, prefix(text), std::nullopt};
    EXPECT_TRUE(add_address(link.socket, address)) << text;
    EXPECT_FALSE(add_address(link.socket, address)) << text;
    EXPECT_THAT(list_addresses(link.socket), Contains(address));
    EXPECT_TRUE(delete_address(link.socket, address)) << text;
    EXPECT_FALSE(delete_address(link.socket, address)) << text;
    EXPECT_THAT(list_addresses(link.socket), Not(Contains(address)));
  }
}

NETNS_TEST(Address, KeepsThePeerOfAPointToPointLink) {
  OneLink link;
  const InterfaceAddress address{link.index, prefix("10.8.0.6/32"), ip("10.8.0.5")};
  EXPECT_TRUE(add_address(link.socket, address));
  EXPECT_THAT(list_addresses(link.socket), Contains(address));
  EXPECT_TRUE(delete_address(link.socket, address));
}

NETNS_TEST(Address, Ipv6IsUsableAtOnce) {
  OneLink link;
  ASSERT_TRUE(add_address(link.socket, {link.index, prefix("fd00:213::1/64"), std::nullopt}));
  // A tentative address cannot be bound to.
  EXPECT_NO_THROW((void)test::udp_socket("fd00:213::1"));
}

NETNS_TEST(Address, SetReplacesWhatIsThereAndKeepsWhatStays) {
  OneLink link;
  const InterfaceAddress old_one{link.index, prefix("10.8.0.2/24"), std::nullopt};
  const InterfaceAddress kept{link.index, prefix("10.9.0.2/24"), std::nullopt};
  const InterfaceAddress new_one{link.index, prefix("10.8.1.2/24"), std::nullopt};
  set_addresses(link.socket, link.index, {old_one, kept});
  set_addresses(link.socket, link.index, {kept, new_one});
  const auto addresses = list_addresses(link.socket);
  EXPECT_THAT(addresses, Contains(kept));
  EXPECT_THAT(addresses, Contains(new_one));
  EXPECT_THAT(addresses, Not(Contains(old_one)));
}

NETNS_TEST(Address, FlushRemovesThoseOfOneInterfaceOnly) {
  OneLink link;
  const int lo = find_link(link.socket, "lo")->index;
  const InterfaceAddress other{lo, prefix("10.99.0.1/32"), std::nullopt};
  ASSERT_TRUE(add_address(link.socket, other));
  for (const char* text : {"10.8.0.2/24", "10.8.0.3/24", "fd00:8::2/64"}) {
    ASSERT_TRUE(add_address(link.socket, {link.index, prefix(text), std::nullopt}));
  }
  flush_addresses(link.socket, link.index);
  auto addresses = list_addresses(link.socket);
  EXPECT_THAT(addresses, Contains(other));
  std::erase_if(addresses, [&](const InterfaceAddress& a) { return a.ifindex != link.index; });
  EXPECT_THAT(addresses, IsEmpty());
}

NETNS_TEST(Address, NeighbourIsSetTwiceWithoutError) {
  OneLink link;
  ASSERT_TRUE(add_address(link.socket, {link.index, prefix("10.213.0.1/30"), std::nullopt}));
  EXPECT_NO_THROW(set_neighbour(link.socket, link.index, ip("10.213.0.2"), {2, 0, 0, 0, 0, 1}));
  EXPECT_NO_THROW(set_neighbour(link.socket, link.index, ip("10.213.0.2"), {2, 0, 0, 0, 0, 2}));
}

}  // namespace
}  // namespace vpnrun::netlink
