// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns_inside.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <gmock/gmock.h>

#include "profiles/base/error.h"
#include "systemd/service/client_table.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/rule.h"
#include "systemd/service/tun_device.h"
#include "tests/netns/link_lab.h"
#include "tests/netns/netns_process.h"
#include "tests/unit/failing_call.h"

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
    be_no_client();
  }
  /// There is no other user here whom a rule could name; so it goes.
  void be_no_client() {
    for (const auto& rule : netlink::list_rules(lab.inside.socket())) {
      if (rule.table == kClientTable) {
        EXPECT_TRUE(netlink::delete_rule(lab.inside.socket(), rule));
      }
    }
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
    NetnsInside network(lab.loop, LinkLab::profile(), lab.inside, 0, [] {});
    const auto sealed = rules();
    EXPECT_NE(sealed.find("\"drop\""), std::string::npos);
    EXPECT_EQ(sealed.find(LinkLab::kServer), std::string::npos);
    network.open(LinkAddresses{"vr-lab", test::ip("10.213.0.1"), test::ip("10.213.0.2")},
                 {LinkLab::endpoint()});
    EXPECT_NE(rules().find(LinkLab::kServer), std::string::npos);
    network.open(std::nullopt, {LinkLab::endpoint()});
    EXPECT_EQ(rules().find("skuid"), std::string::npos) << "no link, no client";
    network.open(LinkAddresses{"vr-lab", test::ip("10.213.0.1"), test::ip("10.213.0.2")},
                 {LinkLab::endpoint()});
    EXPECT_NE(rules().find("skuid"), std::string::npos) << "positive control";
  }
  EXPECT_EQ(rules().find("skuid"), std::string::npos);
  EXPECT_NE(rules().find("\"drop\""), std::string::npos);
}

/// The error of a TCP connection that begins on the tunnel's device; EINPROGRESS: it goes on.
int bound_connect(Netns& inside) {
  return inside.run([] {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    test::bind_to_device(fd.get(), "tun0");
    ::sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(80);
    EXPECT_EQ(::inet_pton(AF_INET, "203.0.113.10", &to.sin_addr), 1);
    return ::connect(fd.get(), reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0 ? 0
                                                                                         : errno;
  });
}

NETNS_TEST(NetnsInside, WhoIsBoundToTheDeviceDoesNotHangWhileTheTunnelIsDown) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  EXPECT_EQ(bound_connect(tunnel.lab.inside), EINPROGRESS);
  tunnel.network->take_down();
  EXPECT_EQ(bound_connect(tunnel.lab.inside), ENETUNREACH);
  tunnel.network->take_down();
  tunnel.bring_up();
  EXPECT_EQ(bound_connect(tunnel.lab.inside), EINPROGRESS);
}

/// A socket of `type` inside that has begun to connect from `source`.
UniqueFd connecting(Netns& inside, int type, const char* source, const char* target) {
  return inside.run([&] {
    const bool v4 = test::ip(source).is_ipv4();
    UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto call = [&](auto function, const char* text, std::uint16_t port) {
      const IpAddress address = test::ip(text);
      ::sockaddr_in in{};
      ::sockaddr_in6 in6{};
      in.sin_family = AF_INET;
      in6.sin6_family = AF_INET6;
      in.sin_port = in6.sin6_port = htons(port);
      std::memcpy(v4 ? static_cast<void*>(&in.sin_addr) : &in6.sin6_addr, address.bytes().data(),
                  address.bytes().size());
      const int result = v4 ? function(fd.get(), reinterpret_cast<::sockaddr*>(&in), sizeof in)
                            : function(fd.get(), reinterpret_cast<::sockaddr*>(&in6), sizeof in6);
      if (result != 0 && errno != EINPROGRESS) {
        throw_errno("cannot begin a connection from {}", source);
      }
    };
    call(::bind, source, 0);
    call(::connect, target, 4711);
    return fd;
  });
}

/// The error that the kernel has for the program that has the socket; 0: none.
int pending_error(const UniqueFd& fd) {
  int error = 0;
  ::socklen_t size = sizeof error;
  EXPECT_EQ(::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  return error;
}

/// One of each kind that ends when its address goes, and a listener and one of loopback, which do
/// not.
struct Connections {
  explicit Connections(Netns& inside)
      : ending(four(inside)),
        listening(inside.run([] { return test::tcp_listener("10.8.0.2", 4712); })),
        local(connecting(inside, SOCK_DGRAM, "127.0.0.1", "127.0.0.1")) {}
  static std::vector<UniqueFd> four(Netns& inside) {
    std::vector<UniqueFd> all;
    all.push_back(connecting(inside, SOCK_STREAM, "10.8.0.2", "203.0.113.10"));
    all.push_back(connecting(inside, SOCK_STREAM, "fd00:8::2", "2001:db8::10"));
    all.push_back(connecting(inside, SOCK_DGRAM, "10.8.0.2", "203.0.113.10"));
    all.push_back(connecting(inside, SOCK_DGRAM, "fd00:8::2", "2001:db8::10"));
    return all;
  }
  std::vector<UniqueFd> ending;
  UniqueFd listening;
  UniqueFd local;
};

NETNS_TEST(NetnsInside, EndsTheConnectionsOfAnAddressThatTheTunnelNoLongerHas) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const Connections all(tunnel.lab.inside);
  const auto turn = [&tunnel] {
    bool turned = false;
    const auto timer = tunnel.lab.loop.after(std::chrono::milliseconds(50), [&] { turned = true; });
    EXPECT_TRUE(tunnel.lab.turn_until([&] { return turned; }));
  };
  tunnel.network->take_down();
  tunnel.bring_up();
  turn();
  for (const UniqueFd& one : all.ending) {
    EXPECT_EQ(pending_error(one), 0) << "the same addresses";
  }
  tunnel.network->bring_up(settings({"10.8.0.3/24", "fd00:8::3/64"}), {test::ip("10.8.0.1")});
  const UniqueFd fresh = connecting(tunnel.lab.inside, SOCK_STREAM, "10.8.0.3", "203.0.113.10");
  turn();
  for (const UniqueFd& one : all.ending) {
    EXPECT_EQ(pending_error(one), ECONNABORTED);
  }
  EXPECT_EQ(pending_error(all.listening), 0);
  EXPECT_EQ(pending_error(all.local), 0);
  EXPECT_EQ(pending_error(fresh), 0);
  EXPECT_EQ(tunnel.filter().find("retired"), std::string::npos);
}

NETNS_TEST(NetnsInside, OneThatComesLaterEndsTheConnectionsOfTheOneBefore) {
  Tunnel tunnel;
  UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const Connections all(tunnel.lab.inside);
  tunnel.network.emplace(tunnel.lab.loop, LinkLab::profile(), tunnel.lab.inside, 0, [] {});
  tunnel.be_no_client();
  tunnel.network->bring_up(settings({"10.8.0.3/24"}), {test::ip("10.8.0.1")});
  for (const UniqueFd& one : all.ending) {
    int error = 0;  // each is told once
    EXPECT_TRUE(tunnel.lab.turn_until([&] {
      error = error == 0 ? pending_error(one) : error;
      return error == ECONNABORTED;
    }));
  }
}

NETNS_TEST(NetnsInside, WhereTheKernelCannotEndThemConnectionsEndWhenTheySend) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const Connections all(tunnel.lab.inside);
  test::let_fail(SYS_socket, EPROTONOSUPPORT, test::Argument{2, NETLINK_SOCK_DIAG});
  tunnel.network->bring_up(settings({"10.8.0.3/24", "fd00:8::3/64"}), {test::ip("10.8.0.1")});
  ASSERT_TRUE(tunnel.lab.turn_until(
      [&] { return tunnel.filter().find("\"retired\"") != std::string::npos; }));
  for (const UniqueFd& one : all.ending) {
    bool refused = false;
    EXPECT_TRUE(tunnel.lab.turn_until([&] {
      // TCP sends by itself; what it is answered is told by the next call.
      const auto sent = ::send(one.get(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      refused = refused || (sent < 0 && errno != EAGAIN);
      return refused;
    }));
  }
  const auto way = [&tunnel](const char* address) {
    return netlink::route_get(tunnel.lab.inside.socket(), test::ip(address)).value();
  };
  EXPECT_EQ(way("203.0.113.10").preferred_source, test::ip("10.8.0.3"));
  EXPECT_EQ(way("10.8.0.2").type, RTN_LOCAL);
  // What was retired may be assigned again.
  const UniqueFd ending = connecting(tunnel.lab.inside, SOCK_STREAM, "10.8.0.3", "203.0.113.10");
  tunnel.bring_up();
  const UniqueFd again = connecting(tunnel.lab.inside, SOCK_STREAM, "fd00:8::2", "2001:db8::10");
  EXPECT_EQ(pending_error(again), 0);
  ASSERT_TRUE(
      tunnel.lab.turn_until([&] { return tunnel.filter().find("10.8.0.3") != std::string::npos; }));
  for (const auto& one : netlink::list_addresses(tunnel.lab.inside.socket())) {
    if (one.address.address == test::ip("fd00:8::2") ||
        one.address.address == test::ip("10.8.0.2")) {
      EXPECT_FALSE(one.retired) << one.address.str();
    }
  }
}

NETNS_TEST(NetnsInside, OthersHaveTheirTurnWhileVeryManyConnectionsAreEnded) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  std::vector<UniqueFd> many;
  many.reserve(500);
  for (int i = 0; i < 500; ++i) {
    many.push_back(connecting(tunnel.lab.inside, SOCK_DGRAM, "10.8.0.2", "203.0.113.10"));
  }
  tunnel.network->bring_up(settings({"10.8.0.3/24"}), {test::ip("10.8.0.1")});
  std::size_t ended = 0;
  const auto look = [&many, &ended] {
    ended +=
        std::erase_if(many, [](const UniqueFd& fd) { return pending_error(fd) == ECONNABORTED; });
    return ended;
  };
  EXPECT_TRUE(tunnel.lab.turn_until([&] { return look() != 0; }));
  EXPECT_LT(ended, 500U) << "in one turn of the loop";
  EXPECT_TRUE(tunnel.lab.turn_until([&] { return look() == 500; }));
}

TEST(NetnsInside, NoProgramChoosesWhichAddressesAreRetired) {
  using testing::ElementsAre;
  const std::vector<IpAddress> former = {test::ip("10.8.0.2"), test::ip("fd00:8::2")};
  EXPECT_THAT(to_be_retired(former, {}), ElementsAre(former[0], former[1]));
  EXPECT_THAT(to_be_retired(former, {test::ip("2001:db8::53"), former[1]}), ElementsAre(former[1]));
  EXPECT_THAT(to_be_retired(former, {test::ip("2001:db8::53")}), testing::IsEmpty());
  EXPECT_THAT(to_be_retired({}, {test::ip("2001:db8::53")}), testing::IsEmpty());
}

/// Its device may be another one, as after an orderly end: the address is nowhere but in the
/// connections.
NETNS_TEST(NetnsInside, AnAddressThatNobodyRemembersIsFoundWhereTheKernelCannotEndConnections) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const Connections all(tunnel.lab.inside);
  netlink::set_addresses(tunnel.lab.inside.socket(), tunnel.index(), {});
  tunnel.network.emplace(tunnel.lab.loop, LinkLab::profile(), tunnel.lab.inside, 0, [] {});
  tunnel.be_no_client();
  test::let_fail(SYS_socket, EPROTONOSUPPORT, test::Argument{2, NETLINK_SOCK_DIAG});
  tunnel.network->bring_up(settings({"10.8.0.3/24", "fd00:8::3/64"}), {test::ip("10.8.0.1")});
  for (const std::size_t i : {0U, 2U}) {  // IPv4
    bool refused = false;
    EXPECT_TRUE(tunnel.lab.turn_until([&] {
      const auto sent = ::send(all.ending[i].get(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      refused = refused || (sent < 0 && errno != EAGAIN);
      return refused;
    }));
  }
  EXPECT_EQ(pending_error(all.listening), 0);
  EXPECT_EQ(pending_error(all.local), 0);
}

NETNS_TEST(NetnsInside, NoProgramMakesAnAddressOneOfTheNamespace) {
  Tunnel tunnel;
  const UniqueFd client = attach(tunnel.lab.inside);
  tunnel.bring_up();
  const UniqueFd known = connecting(tunnel.lab.inside, SOCK_DGRAM, "fd00:8::2", "2001:db8::10");
  const UniqueFd foreign = [&] {
    UniqueFd fd;
    tunnel.lab.inside.run(
        [&] { fd.reset(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); });
    constexpr int kFreebind = 78;  // IPV6_FREEBIND, for which nobody needs a privilege
    const int on = 1;
    EXPECT_EQ(::setsockopt(fd.get(), IPPROTO_IPV6, kFreebind, &on, sizeof on), 0);
    ::sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, "2001:db8::77", &address.sin6_addr), 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::inet_pton(AF_INET6, "2001:db8::10", &address.sin6_addr), 1);
    address.sin6_port = htons(9);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address),
              0);
    return fd;
  }();
  test::let_fail(SYS_socket, EPROTONOSUPPORT, test::Argument{2, NETLINK_SOCK_DIAG});
  tunnel.network->bring_up(settings({"10.8.0.3/24", "fd00:8::3/64"}), {test::ip("10.8.0.1")});
  ASSERT_TRUE(tunnel.lab.turn_until(
      [&] { return tunnel.filter().find("\"retired\"") != std::string::npos; }));
  EXPECT_NE(tunnel.filter().find("fd00:8::2"), std::string::npos) << "control";
  EXPECT_EQ(tunnel.filter().find("2001:db8::77"), std::string::npos);
  for (const auto& one : netlink::list_addresses(tunnel.lab.inside.socket())) {
    EXPECT_NE(one.address.address, test::ip("2001:db8::77"));
  }
}

/// The rules that lead to the client's table.
std::vector<netlink::Rule> client_rules(Netns& inside) {
  std::vector<netlink::Rule> rules = netlink::list_rules(inside.socket());
  std::erase_if(rules, [](const netlink::Rule& rule) { return rule.table != kClientTable; });
  return rules;
}

NETNS_TEST(NetnsInside, TheClientsTableIsReadByTheClientAlone) {
  LinkLab lab;
  ASSERT_EQ(client_rules(lab.inside).size(), 1U);
  EXPECT_FALSE(client_rules(lab.inside).front().owner) << "left by somebody";
  ASSERT_EQ(lab.inside.write_sysctl("net/ipv4/conf/all/rp_filter", "1"), 0);
  {
    const NetnsInside network(lab.loop, LinkLab::profile(), lab.inside, 0, [] {});
    const auto rules = client_rules(lab.inside);
    ASSERT_EQ(rules.size(), 2U);
    for (const auto& rule : rules) {
      EXPECT_EQ(rule.owner, ::uid_t{0});
    }
    EXPECT_NE(rules.front().family, rules.back().family);
    EXPECT_EQ(lab.inside.read_sysctl("net/ipv4/conf/all/rp_filter"), "0");
  }
  EXPECT_EQ(client_rules(lab.inside), std::vector<netlink::Rule>());
}

NETNS_TEST(NetnsInside, TheClientReachesItsEndpointsAndIsNotRoutedBesideThem) {
  LinkLab lab;
  const NetnsInside network(lab.loop, LinkLab::profile(), lab.inside, 0, [] {});
  VethLink link(lab.loop, LinkLab::profile(), lab.outer, lab.inside, {});
  netlink::Route everything;  // as by a tunnel, for all others
  everything.destination = Prefix::default_network(Family::kIpv4);
  everything.ifindex = netlink::find_link(lab.inside.socket(), "uplink").value().index;
  netlink::replace_route(lab.inside.socket(), everything);
  const auto way = [&lab](const char* address) {
    return netlink::route_get(lab.inside.socket(), test::ip(address));
  };
  EXPECT_FALSE(way(LinkLab::kServer));
  link.open({LinkLab::endpoint()});
  ASSERT_TRUE(way(LinkLab::kServer));
  EXPECT_EQ(way(LinkLab::kServer)->preferred_source, link.addresses()->inner);
  EXPECT_FALSE(way(LinkLab::kOtherServer));
  link.open({});
  EXPECT_FALSE(way(LinkLab::kServer));
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
