// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/link.h"

#include <cerrno>

#include "profiles/base/error.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::netlink {
namespace {

using test::Netns;

constexpr MacAddress kMac{0x02, 0, 0, 0, 0, 1};
constexpr MacAddress kPeerMac{0x02, 0, 0, 0, 0, 2};

NETNS_TEST(Link, FindsLoopbackAndNothingElseInANewNamespace) {
  Socket socket;
  const auto lo = find_link(socket, "lo");
  ASSERT_TRUE(lo);
  EXPECT_EQ(lo->name, "lo");
  EXPECT_FALSE(lo->up);
  EXPECT_EQ(find_link(socket, lo->index)->name, "lo");
  EXPECT_TRUE(lo->loopback);
  EXPECT_FALSE(find_link(socket, "uplink"));
  EXPECT_FALSE(find_link(socket, 4711));
  EXPECT_FALSE(find_link(socket, "a-name-longer-than-the-kernel-takes"));
}

NETNS_TEST(Link, MakesAVethWhoseOtherEndIsInTheOtherNamespace) {
  const Netns inside;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 1400, kMac, kPeerMac}));
  const auto here = find_link(socket, "vr-a");
  ASSERT_TRUE(here);
  EXPECT_EQ(here->kind, "veth");
  EXPECT_EQ(here->mtu, 1400U);
  EXPECT_EQ(here->mac, kMac);
  EXPECT_FALSE(here->up);
  EXPECT_FALSE(find_link(socket, "uplink"));
  inside.run([] {
    Socket there;
    const auto peer = find_link(there, "uplink");
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->mtu, 1400U);
    EXPECT_EQ(peer->mac, kPeerMac);
    EXPECT_FALSE(find_link(there, "vr-a"));
  });
}

NETNS_TEST(Link, ReturnsFalseWhenEitherNameIsTaken) {
  const Netns inside;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 0, {}, {}}));
  EXPECT_FALSE(create_veth(socket, {"vr-a", "other", inside.fd(), 0, {}, {}}));
  EXPECT_FALSE(create_veth(socket, {"vr-b", "uplink", inside.fd(), 0, {}, {}}));
  EXPECT_FALSE(find_link(socket, "vr-b"));
}

NETNS_TEST(Link, DeletesBothEndsOnceAndSaysSo) {
  const Netns inside;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 0, {}, {}}));
  EXPECT_TRUE(delete_link(socket, "vr-a"));
  EXPECT_FALSE(delete_link(socket, "vr-a"));
  EXPECT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 0, {}, {}}));
}

NETNS_TEST(Link, ChangesOnlyWhatIsAskedFor) {
  const Netns inside;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 1400, {}, {}}));
  const int index = find_link(socket, "vr-a")->index;
  LinkChange up;
  up.up = true;
  up.arp = false;
  EXPECT_TRUE(change_link(socket, index, up));
  EXPECT_TRUE(find_link(socket, index)->up);
  LinkChange mtu;
  mtu.mtu = 1280;
  mtu.mac = kMac;
  EXPECT_TRUE(change_link(socket, index, mtu));
  EXPECT_TRUE(find_link(socket, index)->up);
  EXPECT_EQ(find_link(socket, index)->mtu, 1280U);
  EXPECT_EQ(find_link(socket, index)->mac, kMac);
  EXPECT_EQ(find_link(socket, index)->alias, "");
  LinkChange alias;
  alias.alias = "vpnrun: a";
  EXPECT_TRUE(change_link(socket, index, alias));
  EXPECT_EQ(find_link(socket, index)->alias, "vpnrun: a");
  EXPECT_EQ(find_link(socket, index)->mac, kMac);
  LinkChange down;
  down.up = false;
  EXPECT_TRUE(change_link(socket, index, down));
  EXPECT_FALSE(find_link(socket, index)->up);
  EXPECT_FALSE(change_link(socket, 4711, down));
}

NETNS_TEST(Link, CarrierFollowsTheOtherEnd) {
  const Netns inside;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", inside.fd(), 0, {}, {}}));
  LinkChange up;
  up.up = true;
  ASSERT_TRUE(change_link(socket, find_link(socket, "vr-a")->index, up));
  EXPECT_FALSE(find_link(socket, "vr-a")->carrier);
  inside.run([&] {
    Socket there;
    ASSERT_TRUE(change_link(there, find_link(there, "uplink")->index, up));
  });
  EXPECT_TRUE(find_link(socket, "vr-a")->carrier);
}

NETNS_TEST(Link, KeepsTheErrnoOfTheKernel) {
  Socket socket;
  try {
    (void)create_veth(socket, {"vr-a", "uplink", 0, 0, {}, {}});  // descriptor 0 is not a namespace
    ADD_FAILURE() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument) << error.what();
    EXPECT_NE(std::string(error.what()).find("cannot make the link 'vr-a': "), std::string::npos);
  }
}

}  // namespace
}  // namespace vpnrun::netlink
