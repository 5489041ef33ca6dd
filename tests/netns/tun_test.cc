// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "tests/netns/lab.h"

namespace vpnrun::netlink {
namespace {

NETNS_TEST(Tun, IsMadeOnceTakenOverAndDeleted) {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
    try {
      (void)create_tun("tun0", 0);
      ADD_FAILURE() << "made without the device";
    } catch (const Error& error) {
      EXPECT_FALSE(error.hint().empty());
    }
    return;
  }
  Socket socket;
  EXPECT_TRUE(create_tun("tun0", 0));
  EXPECT_FALSE(create_tun("tun0", 0));
  const auto tun = find_link(socket, "tun0");
  ASSERT_TRUE(tun);
  EXPECT_EQ(tun->kind, "tun");
  EXPECT_FALSE(tun->carrier);
  EXPECT_TRUE(delete_link(socket, "tun0"));
  EXPECT_FALSE(find_link(socket, "tun0"));
}

NETNS_TEST(Tun, SaysThatAnotherKindOfLinkHasTheName) {
  const test::Netns peer;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"tun0", "other", peer.fd(), 0, {}, {}}));
  try {
    (void)create_tun("tun0", 0);
    ADD_FAILURE() << "made";
  } catch (const Error& error) {
    EXPECT_FALSE(error.hint().empty()) << error.what();
  }
}

NETNS_TEST(Tun, SaysThatAClientIsStillAttached) {
  const test::Lab lab;
  test::require_tun(lab);
  lab.inside.run([] {
    try {
      (void)create_tun("tun0", 0);
      ADD_FAILURE() << "taken over";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), std::errc::device_or_resource_busy);
      EXPECT_NE(error.hint().find("still attached"), std::string::npos) << error.hint();
    }
  });
}

}  // namespace
}  // namespace vpnrun::netlink
