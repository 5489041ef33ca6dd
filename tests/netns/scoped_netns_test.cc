// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/scoped_netns.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <future>
#include <thread>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/sysctl.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::netlink {
namespace {

::ino_t current_namespace() {
  struct ::stat status {};
  EXPECT_EQ(::stat("/proc/thread-self/ns/net", &status), 0);
  return status.st_ino;
}

NETNS_TEST(ScopedNetns, EntersAndComesBackAlsoNested) {
  const test::Netns first;
  const test::Netns second;
  const ::ino_t home = current_namespace();
  {
    const ScopedNetns outer(first.fd());
    const ::ino_t there = current_namespace();
    EXPECT_NE(there, home);
    {
      const ScopedNetns inner(second.fd());
      EXPECT_NE(current_namespace(), there);
      EXPECT_NE(current_namespace(), home);
    }
    EXPECT_EQ(current_namespace(), there);
  }
  EXPECT_EQ(current_namespace(), home);
}

NETNS_TEST(ScopedNetns, ThrowsAndStaysForWhatIsNoNetworkNamespace) {
  const ::ino_t home = current_namespace();
  const UniqueFd other(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  EXPECT_THROW(const ScopedNetns inside(other.get()), Error);
  EXPECT_EQ(current_namespace(), home);
}

NETNS_TEST(ScopedNetns, RefusesAProcessWithASecondThread) {
  const test::Netns other;
  std::promise<void> end;
  std::thread second([&] { end.get_future().wait(); });
  EXPECT_THROW(const ScopedNetns inside(other.fd()), Error);
  end.set_value();
  second.join();
}

NETNS_TEST(ScopedNetns, ASocketStaysWhereItWasOpened) {
  const test::Netns other;
  Socket socket;
  ASSERT_TRUE(create_veth(socket, {"vr-a", "uplink", other.fd(), 0, {}, {}}));
  const ScopedNetns inside(other.fd());
  EXPECT_TRUE(find_link(socket, "vr-a"));
  Socket there;
  EXPECT_FALSE(find_link(there, "vr-a"));
}

NETNS_TEST(Sysctl, BelongsToTheNamespaceOfTheThread) {
  const test::Netns other;
  ASSERT_EQ(write_sysctl("net/ipv4/conf/all/arp_ignore", "2"), 0);
  other.run([] { EXPECT_EQ(read_sysctl("net/ipv4/conf/all/arp_ignore"), "0"); });
  EXPECT_EQ(read_sysctl("net/ipv4/conf/all/arp_ignore"), "2");
}

NETNS_TEST(Sysctl, SaysWhatIsWrong) {
  EXPECT_EQ(write_sysctl("net/ipv4/conf/nothere/forwarding", "1"), ENOENT);
  EXPECT_EQ(write_sysctl("net/ipv4/ip_forward", "many"), EINVAL);
  EXPECT_FALSE(read_sysctl("net/ipv4/conf/nothere/forwarding"));
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace vpnrun::netlink
