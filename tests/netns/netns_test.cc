// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

::ino_t current_namespace() {
  struct ::stat status {};
  EXPECT_EQ(::stat("/proc/thread-self/ns/net", &status), 0);
  return status.st_ino;
}

::ino_t id_of(const Netns& netns) {
  struct ::stat status {};
  EXPECT_EQ(::fstat(netns.fd(), &status), 0);
  return status.st_ino;
}

std::ptrdiff_t open_descriptors() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

bool is_readable(int fd) {
  ::pollfd poll{fd, POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

NETNS_TEST(Netns, IsMadeOfTheCallersNamespaceOrANewOneAndLeavesTheCallerWhereItIs) {
  const ::ino_t home = current_namespace();
  const Netns here = Netns::here();
  Netns fresh = Netns::fresh("other");
  EXPECT_EQ(id_of(here), home);
  EXPECT_EQ(here.name(), "");
  EXPECT_NE(id_of(fresh), home);
  EXPECT_EQ(fresh.name(), "other");
  EXPECT_EQ(current_namespace(), home);
  EXPECT_EQ(fresh.run([] { return current_namespace(); }), id_of(fresh));
  EXPECT_EQ(current_namespace(), home);
  EXPECT_THROW(Netns(UniqueFd(), "none"), Error);
}

NETNS_TEST(Netns, WorksWhereItsDescriptorSaysWhereverTheThreadIs) {
  for (const auto place : {filter::NftPlace::kHere, filter::NftPlace::kChild}) {
    Netns first = Netns::fresh("first", place);
    Netns second = Netns::fresh("second", place);
    ASSERT_TRUE(netlink::create_veth(first.socket(), {"vr-a", "uplink", second.fd(), 0, {}, {}}));
    EXPECT_TRUE(netlink::find_link(second.socket(), "uplink"));
    ASSERT_EQ(first.write_sysctl("net/ipv4/conf/vr-a/arp_ignore", "2"), 0);
    EXPECT_EQ(first.read_sysctl("net/ipv4/conf/vr-a/arp_ignore"), "2");
    EXPECT_FALSE(second.read_sysctl("net/ipv4/conf/vr-a/arp_ignore"));
    second.run([&] { first.nft().apply("table inet only-there {}"); });
    EXPECT_TRUE(first.nft().exists("only-there"));
    EXPECT_FALSE(second.nft().exists("only-there"));
    EXPECT_FALSE(Netns::here(place).nft().exists("only-there"));
    EXPECT_FALSE(netlink::find_link(Netns::here().socket(), "vr-a"));
  }
}

NETNS_TEST(Netns, HearsOfItsOwnNamespaceAlone) {
  Netns first = Netns::fresh("first");
  Netns second = Netns::fresh("second");
  netlink::Monitor& quiet = second.monitor();
  netlink::FilterMonitor& quiet_filter = second.filter_monitor();
  netlink::Monitor& monitor = first.monitor();
  netlink::FilterMonitor& filter_monitor = first.filter_monitor();
  netlink::LinkChange up;
  up.up = true;
  ASSERT_TRUE(
      netlink::change_link(first.socket(), netlink::find_link(first.socket(), "lo")->index, up));
  first.nft().apply("table inet mine {}");
  ASSERT_TRUE(first.nft().remove("mine"));
  EXPECT_TRUE(is_readable(monitor.fd()));
  EXPECT_FALSE(is_readable(quiet.fd()));
  EXPECT_FALSE(is_readable(quiet_filter.fd()));
  std::string deleted;
  filter_monitor.drain([&](const netlink::FilterEvent& event) {
    if (const auto* table = std::get_if<netlink::TableDeleted>(&event)) {
      deleted = table->table;
    }
  });
  EXPECT_EQ(deleted, "mine");
}

/// One datagram to a port of the loopback, which the rules of the test drop on its way out: EPERM.
void send_a_packet() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(9);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const ::sockaddr*>(&address),
                     sizeof(address)),
            -1);
}

NETNS_TEST(Netns, IsToldOfTracedPacketsOnlyWhileAnInterfaceIsFollowed) {
  Netns netns = Netns::fresh("traced");
  const int lo = netlink::find_link(netns.socket(), "lo")->index;
  netlink::LinkChange up;
  up.up = true;
  ASSERT_TRUE(netlink::change_link(netns.socket(), lo, up));
  netns.nft().apply(
      "table inet strange {\n chain out {\n  type filter hook output priority 0\n"
      "  oifname lo meta nftrace set 1 drop\n }\n}\n");
  netlink::FilterMonitor& monitor = netns.filter_monitor();
  const auto drops = [&monitor] {
    std::size_t count = 0;
    monitor.drain([&count](const netlink::FilterEvent& event) {
      count += std::holds_alternative<netlink::PacketDropped>(event) ? 1U : 0U;
    });
    return count;
  };
  netns.run(send_a_packet);
  EXPECT_FALSE(is_readable(monitor.fd()));
  monitor.follow_interface(lo);
  netns.run(send_a_packet);
  EXPECT_TRUE(is_readable(monitor.fd()));
  EXPECT_EQ(drops(), 1U);
  monitor.follow_interface(lo);
  netns.run(send_a_packet);
  EXPECT_EQ(drops(), 1U);
  monitor.follow_interface(0);
  netns.run(send_a_packet);
  EXPECT_FALSE(is_readable(monitor.fd()));
}

NETNS_TEST(Netns, OpensWhatIsAskedForAndOnce) {
  Netns netns = Netns::fresh("other");
  const auto before = open_descriptors();
  (void)netns.read_sysctl("net/ipv4/ip_forward");
  EXPECT_EQ(open_descriptors(), before);
  (void)netns.socket();
  (void)netns.nft();
  (void)netns.monitor();
  (void)netns.filter_monitor();
  EXPECT_EQ(open_descriptors(), before + 4);
  EXPECT_EQ(&netns.socket(), &netns.socket());
  EXPECT_EQ(&netns.nft(), &netns.nft());
  EXPECT_EQ(open_descriptors(), before + 4);
}

}  // namespace
}  // namespace vpnrun::service
