// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns_inside.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "profiles/base/error.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/tun_device.h"
#include "tests/netns/link_lab.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

using test::LinkLab;
using test::prefix;

/// What a client does with the device.
UniqueFd attach(Netns& inside) {
  return inside.run([] {
    UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ::ifreq request{};
    std::strncpy(request.ifr_name, "tun0", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (!tun.ok() || ::ioctl(tun.get(), TUNSETIFF, &request) != 0) {
      throw_errno("cannot attach to 'tun0'");
    }
    return tun;
  });
}

TunnelSettings settings(const std::vector<std::string>& addresses) {
  TunnelSettings result;
  for (const auto& address : addresses) {
    result.addresses.push_back(prefix(address));
  }
  return result;
}

/// A namespace with a tunnel device, and how often it was lost.
struct Tunnel {
  Tunnel() {
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
      throw test::Skipped("no access to /dev/net/tun; run this as root");
    }
    device.emplace(lab.inside, 0);
    network.emplace(lab.loop, LinkLab::profile(), lab.inside, 0, [this] { ++lost; });
  }
  void bring_up() {
    network->bring_up(settings({"10.8.0.2/24", "fd00:8::2/64"}), {test::ip("10.8.0.1")});
  }
  [[nodiscard]] int default_routes() {
    int count = 0;
    for (const auto& route : netlink::list_routes(lab.inside.socket())) {
      count += route.is_default() && route.type == RTN_UNICAST ? 1 : 0;
    }
    return count;
  }
  [[nodiscard]] int index() {
    return netlink::find_link(lab.inside.socket(), "tun0").value().index;
  }
  [[nodiscard]] std::string filter() { return lab.inside.nft().list("list table inet vpnrun"); }

  LinkLab lab;
  int lost = 0;
  std::optional<TunDevice> device;
  std::optional<NetnsInside> network;
};

NETNS_TEST(NetnsInside, ComesUpWithBothFamiliesAndGoesDownAtOnce) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  EXPECT_EQ(tunnel.default_routes(), 0);
  auto wanted = settings({"10.8.0.2/24", "fd00:8::2/64"});
  wanted.mtu = 1400;
  tunnel.network->bring_up(wanted, {test::ip("10.8.0.1")});
  EXPECT_EQ(tunnel.default_routes(), 2);
  EXPECT_EQ(netlink::find_link(tunnel.lab.inside.socket(), "tun0")->mtu, 1400U);
  EXPECT_NE(tunnel.filter().find("10.8.0.1"), std::string::npos);
  tunnel.network->take_down();
  EXPECT_EQ(tunnel.default_routes(), 0);
}

NETNS_TEST(NetnsInside, TellsThatTheClientHasLetGoOfTheDevice) {
  Tunnel tunnel;
  UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  client.reset();
  EXPECT_TRUE(tunnel.lab.turn_until([&] { return tunnel.lost > 0; }));
}

NETNS_TEST(NetnsInside, TellsThatTheDeviceIsGoneAndComesUpOnAnother) {
  Tunnel tunnel;
  UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const int former = tunnel.index();
  ASSERT_TRUE(netlink::delete_link(tunnel.lab.inside.socket(), "tun0"));
  EXPECT_TRUE(tunnel.lab.turn_until([&] { return tunnel.lost > 0; }));
  tunnel.network->take_down();
  EXPECT_THROW(tunnel.bring_up(), Error) << "there is no device";
  make_tun_device(tunnel.lab.inside, 0);
  EXPECT_NE(tunnel.index(), former);
  client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  EXPECT_EQ(tunnel.default_routes(), 2);
  tunnel.network->take_down();
  EXPECT_EQ(tunnel.default_routes(), 0);
}

NETNS_TEST(NetnsInside, NewsOfTheFormerClientOrOfATunnelThatIsDownIsNoLoss) {
  Tunnel tunnel;
  UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  client.reset();
  client = attach(tunnel.lab.inside);  // before the loop has heard of it
  const auto drained = [&] {
    bool done = false;
    const auto timer =
        tunnel.lab.loop.after(std::chrono::milliseconds(test::kSilence), [&] { done = true; });
    return tunnel.lab.turn_until([&] { return done; });
  };
  ASSERT_TRUE(drained());
  EXPECT_EQ(tunnel.lost, 0);
  tunnel.network->take_down();
  client.reset();
  ASSERT_TRUE(drained());
  EXPECT_EQ(tunnel.lost, 0);
  client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  client.reset();
  EXPECT_TRUE(tunnel.lab.turn_until([&] { return tunnel.lost > 0; })) << "positive control";
}

NETNS_TEST(NetnsInside, WithoutAddressesThereIsNothingToDo) {
  LinkLab lab;
  NetnsInside network(lab.loop, LinkLab::profile(), lab.inside, 0, [] {});
  network.bring_up({}, {});
  network.take_down();
  EXPECT_THROW(network.bring_up(settings({"10.8.0.2/24"}), {}), Error) << "positive control";
}

NETNS_TEST(NetnsInside, IsOpenForTheEndpointsOfALinkAndSealedInTheEnd) {
  LinkLab lab;
  const auto rules = [&lab] { return lab.inside.nft().list("list table inet vpnrun"); };
  {
    NetnsInside network(lab.loop, LinkLab::profile(), lab.inside, 4711, [] {});
    const auto sealed = rules();
    EXPECT_NE(sealed.find("\"drop\""), std::string::npos);
    EXPECT_EQ(sealed.find(LinkLab::kServer), std::string::npos);
    network.open(LinkAddresses{"vr-lab", test::ip("10.213.0.1"), test::ip("10.213.0.2")},
                 {LinkLab::endpoint()});
    EXPECT_NE(rules().find(LinkLab::kServer), std::string::npos);
    network.open(std::nullopt, {LinkLab::endpoint()});
    EXPECT_EQ(rules().find("4711"), std::string::npos) << "no link, no client";
    network.open(LinkAddresses{"vr-lab", test::ip("10.213.0.1"), test::ip("10.213.0.2")},
                 {LinkLab::endpoint()});
    EXPECT_NE(rules().find("4711"), std::string::npos) << "positive control";
  }
  EXPECT_EQ(rules().find("4711"), std::string::npos);
  EXPECT_NE(rules().find("\"drop\""), std::string::npos);
}

NETNS_TEST(TunDevice, OneThatIsThereIsKeptAndItGoesWithItsOwner) {
  LinkLab lab;
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
    throw test::Skipped("no access to /dev/net/tun; run this as root");
  }
  make_tun_device(lab.inside, 0);
  const int index = netlink::find_link(lab.inside.socket(), "tun0").value().index;
  {
    const TunDevice device(lab.inside, 0);
    EXPECT_EQ(netlink::find_link(lab.inside.socket(), "tun0").value().index, index);
    EXPECT_EQ(lab.inside.read_sysctl("net/ipv6/conf/tun0/accept_ra").value_or("0"), "0");
  }
  EXPECT_FALSE(netlink::find_link(lab.inside.socket(), "tun0"));
}

}  // namespace
}  // namespace vpnrun::service
