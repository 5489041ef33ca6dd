// SPDX-License-Identifier: GPL-2.0-or-later
//
// The host's side alone: inside there is no filter, as if root there had removed it.
#include "systemd/service/filter/host_filter.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "profiles/base/format.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/sysctl.h"
#include "tests/netns/lab.h"

namespace vpnrun::filter {
namespace {

using test::kSilence;
using test::Lab;
using test::receive;
using test::send_to;
using test::udp_socket;

UniqueFd udp_in(const test::Netns& netns, const std::string& address, std::uint16_t port = 0) {
  UniqueFd fd;
  netns.run([&] { fd = udp_socket(address, port); });
  return fd;
}

/// A socket inside that insists on the veth.
UniqueFd udp_on_uplink(const Lab& lab, const std::string& address = test::kNsEnd,
                       std::uint16_t port = 0) {
  UniqueFd fd = udp_in(lab.inside, address, port);
  lab.inside.run([&] { test::bind_to_device(fd.get(), "uplink"); });
  return fd;
}

bool arrives(int sender, int receiver, std::uint16_t port, const char* address = test::kServer) {
  const bool sent = send_to(sender, address, port, "x") == 0;
  return receive(receiver, sent ? kSilence : 0).has_value();
}

NETNS_TEST(HostFilter, TheEndpointSeesTheHostsAddressAndItsAnswerComesBack) {
  const Lab lab;
  Lab::load(Lab::host_filter());
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_on_uplink(lab);
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "hello"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->source, test::kHostWan);
  ASSERT_EQ(send_to(server.get(), query->source, query->port, "answer"), 0);
  EXPECT_TRUE(receive(client.get()));
}

NETNS_TEST(HostFilter, RootInsideReachesNothingElse) {
  const Lab lab;
  const UniqueFd endpoint = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd other_port = udp_in(lab.server, test::kServer, 1195);
  const UniqueFd other_host = udp_in(lab.server, test::kOtherServer, test::kEndpointPort);
  const UniqueFd host = udp_socket("0.0.0.0", test::kEndpointPort);
  const UniqueFd host6 = udp_socket(test::kHostEnd6, 1196);
  const UniqueFd client = udp_on_uplink(lab);
  const UniqueFd client6 = udp_on_uplink(lab, test::kNsEnd6);
  lab.inside.run([] {
    netlink::Socket socket;
    netlink::Route route;
    route.destination = Prefix::default_network(Family::kIpv4);
    route.ifindex = netlink::find_link(socket, "uplink")->index;
    route.gateway = test::ip(test::kHostEnd);
    netlink::replace_route(socket, route);
  });
  const auto everything_else = [&] {
    return std::vector<bool>{
        arrives(client.get(), other_port.get(), 1195),
        arrives(client.get(), other_host.get(), test::kEndpointPort, test::kOtherServer),
        arrives(client.get(), host.get(), test::kEndpointPort, test::kHostEnd),
        arrives(client.get(), host.get(), test::kEndpointPort, test::kHostWan),
        arrives(client6.get(), host6.get(), 1196, test::kHostEnd6)};
  };
  EXPECT_EQ(everything_else(), std::vector<bool>(5, true)) << "positive control";
  Lab::load(Lab::host_filter());
  EXPECT_TRUE(arrives(client.get(), endpoint.get(), test::kEndpointPort)) << "positive control";
  EXPECT_EQ(everything_else(), std::vector<bool>(5, false));
}

/// New flows to the endpoint, one after the other: how many of them arrive. Each is waited for, so
/// that `pace_ms` is between those that do not.
int flows_that_arrive(const Lab& lab, int server, int count, int pace_ms) {
  int arrived = 0;
  for (int i = 0; i < count; ++i) {
    const UniqueFd client = udp_on_uplink(lab);
    const bool sent = send_to(client.get(), test::kServer, test::kEndpointPort, "x") == 0;
    arrived += sent && receive(server, pace_ms) ? 1 : 0;
  }
  return arrived;
}

/// What is masqueraded by an interface is over when it goes down.
void set_wan(bool up) {
  netlink::Socket socket;
  netlink::LinkChange change;
  change.up = up;
  ASSERT_TRUE(netlink::change_link(socket, netlink::find_link(socket, "wan")->index, change));
}

NETNS_TEST(HostFilter, AClientDoesNotFillTheConnectionTableOfTheMachine) {
  const Lab lab;
  Lab::load(Lab::host_filter());
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  EXPECT_EQ(flows_that_arrive(lab, server.get(), 250, 1000), 250) << "positive control";
  Nft().apply(host_flow_ruleset(Lab::host_filter(), FlowLimit::kCount));
  const UniqueFd client = udp_on_uplink(lab);
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "hello"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query) << "positive control";
  ASSERT_EQ(send_to(server.get(), query->source, query->port, "answer"), 0);
  ASSERT_TRUE(receive(client.get())) << "positive control";
  // Slower than the rate, so that it is the count that refuses.
  const int arrived = flows_that_arrive(lab, server.get(), 250, 25);
  EXPECT_GT(arrived, 64) << "what a client needs passes";
  EXPECT_LE(arrived, 130) << "the kernel may miss one that is just being made";
  EXPECT_EQ(flows_that_arrive(lab, server.get(), 5, 50), 0) << "no more while they exist";
  EXPECT_TRUE(arrives(client.get(), server.get(), test::kEndpointPort)) << "a flow goes on";
  set_wan(false);
  set_wan(true);
  EXPECT_GT(flows_that_arrive(lab, server.get(), 40, 100), 20)
      << "those that are over do not count";
}

NETNS_TEST(HostFilter, WithoutACountNewFlowsAreRare) {
  const Lab lab;
  Lab::load(Lab::host_filter());
  Nft().apply(host_flow_ruleset(Lab::host_filter(), FlowLimit::kRate));
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const int arrived = flows_that_arrive(lab, server.get(), 200, 1);
  EXPECT_GT(arrived, 32) << "what a client needs passes";
  EXPECT_LT(arrived, 100);
}

NETNS_TEST(HostFilter, AnotherSourceAddressDoesNotPass) {
  const Lab lab;
  lab.inside.run([] {
    netlink::Socket socket;
    const int index = netlink::find_link(socket, "uplink")->index;
    ASSERT_TRUE(netlink::add_address(socket, {index, test::prefix("10.213.0.9/32"), {}}));
  });
  // rp_filter is not what this is about.
  ASSERT_EQ(netlink::write_sysctl("net/ipv4/conf/all/rp_filter", "0"), 0);
  ASSERT_EQ(netlink::write_sysctl("net/ipv4/conf/vr-lab/rp_filter", "0"), 0);
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_on_uplink(lab, "10.213.0.9");
  EXPECT_TRUE(arrives(client.get(), server.get(), test::kEndpointPort)) << "positive control";
  Lab::load(Lab::host_filter());
  (void)send_to(client.get(), test::kServer, test::kEndpointPort, "x");
  const auto leaked = receive(server.get(), kSilence);
  EXPECT_FALSE(leaked) << leaked->source << " " << leaked->port;
}

NETNS_TEST(HostFilter, FragmentsAreJudgedAsTheDatagramTheyAreOf) {
  const Lab lab;
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd other_port = udp_in(lab.server, test::kServer, 1195);
  const UniqueFd client = udp_on_uplink(lab);
  const std::string large(4000, 'x');
  ASSERT_EQ(send_to(client.get(), test::kServer, 1195, large), 0);
  EXPECT_TRUE(receive(other_port.get())) << "positive control";
  Lab::load(Lab::host_filter());
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, large), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->payload.size(), large.size());
  ASSERT_EQ(send_to(server.get(), query->source, query->port, large), 0);
  EXPECT_TRUE(receive(client.get())) << "the other direction";
  ASSERT_EQ(send_to(client.get(), test::kServer, 1195, large), 0);
  EXPECT_FALSE(receive(other_port.get(), kSilence));
}

NETNS_TEST(HostFilter, NobodyButTheEndpointReachesTheNamespace) {
  const Lab lab;
  const UniqueFd inside = udp_on_uplink(lab, test::kNsEnd, 5000);
  const UniqueFd stranger = udp_in(lab.server, test::kOtherServer, test::kEndpointPort);
  const UniqueFd endpoint = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd host = udp_socket(test::kHostEnd);
  EXPECT_TRUE(arrives(stranger.get(), inside.get(), 5000, test::kNsEnd)) << "positive control";
  EXPECT_TRUE(arrives(host.get(), inside.get(), 5000, test::kNsEnd)) << "positive control";
  Lab::load(Lab::host_filter());
  EXPECT_FALSE(arrives(stranger.get(), inside.get(), 5000, test::kNsEnd));
  EXPECT_FALSE(arrives(endpoint.get(), inside.get(), 5000, test::kNsEnd)) << "it only answers";
  EXPECT_FALSE(arrives(host.get(), inside.get(), 5000, test::kNsEnd));
}

NETNS_TEST(HostFilter, AnExposedPortAnswersAndNeverAsks) {
  const Lab lab;
  HostFilter rules = Lab::host_filter();
  rules.expose = {{Transport::kTcp, 9091}, {Transport::kUdp, 9091}};
  UniqueFd exposed;
  lab.inside.run([&] { exposed = test::tcp_listener("0.0.0.0", 9091); });
  const UniqueFd on_host = test::tcp_listener(test::kHostEnd, 8080);
  const UniqueFd udp_host = udp_socket(test::kHostEnd, 8080);
  const UniqueFd udp_exposed = udp_on_uplink(lab, test::kNsEnd, 9091);
  const auto connect = [&] {
    int error = 0;
    lab.inside.run([&] { error = test::tcp_connect(test::kHostEnd, 8080, 9091); });
    return error;
  };
  Lab::load(rules);
  EXPECT_EQ(test::tcp_connect(test::kNsEnd, 9091), 0);
  EXPECT_NE(test::tcp_connect(test::kNsEnd, 9092), ECONNREFUSED) << "not even refused: dropped";
  exposed.reset();
  EXPECT_NE(connect(), 0);
  EXPECT_FALSE(arrives(udp_exposed.get(), udp_host.get(), 8080, test::kHostEnd));
  // A question from the host, and then an answer.
  ASSERT_EQ(send_to(udp_host.get(), test::kNsEnd, 9091, "question"), 0);
  ASSERT_TRUE(receive(udp_exposed.get()));
  EXPECT_TRUE(arrives(udp_exposed.get(), udp_host.get(), 8080, test::kHostEnd));
}

NETNS_TEST(HostFilter, IcmpErrorsOfTheClientsOwnTrafficComeBack) {
  const Lab lab;
  Lab::load(Lab::host_filter());
  const UniqueFd client = udp_on_uplink(lab);
  const int on = 1;
  ASSERT_EQ(::setsockopt(client.get(), SOL_IP, IP_RECVERR, &on, sizeof(on)), 0);
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "x"), 0);  // nobody listens
  int error = 0;
  for (int i = 0; i < 100 && error == 0; ++i) {
    (void)::usleep(5000);
    error = send_to(client.get(), test::kServer, test::kEndpointPort, "x");
  }
  EXPECT_EQ(error, ECONNREFUSED);
}

/// A second network on the host, to forward between it and the server.
struct Neighbour {
  Neighbour() {
    netlink::Socket socket;
    EXPECT_TRUE(netlink::create_veth(socket, {"lan", "eth0", netns.fd(), 0, {}, {}}));
    configure(socket, "lan", "192.0.2.1/24");
    netns.run([] {
      netlink::Socket there;
      configure(there, "eth0", "192.0.2.2/24");
      route(there, "198.51.100.0/24", "192.0.2.1");
    });
    EXPECT_EQ(netlink::write_sysctl("net/ipv4/conf/lan/forwarding", "1"), 0);
  }
  static void configure(netlink::Socket& socket, const char* name, const char* address) {
    const int index = netlink::find_link(socket, name)->index;
    netlink::LinkChange up;
    up.up = true;
    EXPECT_TRUE(netlink::change_link(socket, index, up));
    EXPECT_TRUE(netlink::add_address(socket, {index, test::prefix(address), {}}));
  }
  static void route(netlink::Socket& socket, const char* destination, const char* gateway) {
    netlink::Route route;
    route.destination = test::prefix(destination);
    route.gateway = test::ip(gateway);
    route.ifindex = netlink::find_link(socket, "eth0")->index;
    netlink::replace_route(socket, route);
  }
  test::Netns netns;
};

NETNS_TEST(HostFilter, TrafficOfOthersIsNotTouched) {
  const Lab lab;
  const Neighbour neighbour;
  lab.server.run([] {
    netlink::Socket there;
    Neighbour::route(there, "192.0.2.0/24", test::kHostWan);
  });
  Lab::load(Lab::host_filter());
  const UniqueFd server = udp_in(lab.server, test::kServer, 7777);
  const UniqueFd client = udp_in(neighbour.netns, "192.0.2.2");
  ASSERT_EQ(send_to(client.get(), test::kServer, 7777, "x"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->source, "192.0.2.2") << "not translated";
  ASSERT_EQ(send_to(server.get(), "192.0.2.2", query->port, "y"), 0);
  EXPECT_TRUE(receive(client.get()));
  const UniqueFd host = udp_socket("0.0.0.0", 6666);
  EXPECT_TRUE(arrives(server.get(), host.get(), 6666, test::kHostWan));
}

NETNS_TEST(HostFilter, WithoutTheLinkNothingForTheNamespaceFollowsAnotherRoute) {
  const Lab lab;
  netlink::Socket host;
  ASSERT_TRUE(netlink::delete_link(host, test::kHostLink));
  netlink::Route anywhere;
  anywhere.destination = *Prefix::parse("0.0.0.0/0");
  anywhere.gateway = IpAddress::parse(test::kServer);
  anywhere.ifindex = netlink::find_link(host, "wan")->index;
  netlink::replace_route(host, anywhere);
  const UniqueFd sender = udp_socket(test::kHostWan);
  ASSERT_EQ(send_to(sender.get(), test::kNsEnd, 4000, "x"), 0) << "positive control";
  Lab::load(Lab::host_filter());
  EXPECT_EQ(send_to(sender.get(), test::kNsEnd, 4000, "x"), EPERM);
}

NETNS_TEST(HostFilter, AGuardedUplinkForwardsToOurLinksOnly) {
  const Lab lab;
  const Neighbour neighbour;
  lab.server.run([] {
    netlink::Socket there;
    Neighbour::route(there, "192.0.2.0/24", test::kHostWan);
  });
  HostFilter rules = Lab::host_filter();
  Lab::load(rules);
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd neighbour_socket = udp_in(neighbour.netns, "192.0.2.2", 7777);
  EXPECT_TRUE(arrives(server.get(), neighbour_socket.get(), 7777, "192.0.2.2"))
      << "positive control";
  rules.guarded_uplinks = {"wan"};
  Lab::load(rules);
  const UniqueFd fresh = udp_in(lab.server, test::kOtherServer);
  EXPECT_FALSE(arrives(fresh.get(), neighbour_socket.get(), 7777, "192.0.2.2"));
  const UniqueFd client = udp_on_uplink(lab);
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "hello"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  ASSERT_EQ(send_to(server.get(), query->source, query->port, "answer"), 0);
  EXPECT_TRUE(receive(client.get())) << "our own answers pass";
}

/// The server knows the way to the neighbour's network, by the host.
void route_to_neighbour(const Lab& lab) {
  lab.server.run([] {
    netlink::Socket there;
    Neighbour::route(there, "192.0.2.0/24", test::kHostWan);
  });
}

NETNS_TEST(HostFilter, AGuardedUplinkLetsAnswersToOthersPass) {
  const Lab lab;
  const Neighbour neighbour;
  route_to_neighbour(lab);
  HostFilter rules = Lab::host_filter();
  rules.guarded_uplinks = {"wan"};
  Lab::load(rules);
  const UniqueFd server = udp_in(lab.server, test::kServer, 7777);
  const UniqueFd guest = udp_in(neighbour.netns, "192.0.2.2", 7777);
  EXPECT_FALSE(arrives(server.get(), guest.get(), 7777, "192.0.2.2")) << "nobody asked";
  ASSERT_TRUE(arrives(guest.get(), server.get(), 7777));
  EXPECT_TRUE(arrives(server.get(), guest.get(), 7777, "192.0.2.2")) << "routed";
  // And what the router says about the question: nobody listens there.
  const int on = 1;
  ASSERT_EQ(::setsockopt(guest.get(), SOL_IP, IP_RECVERR, &on, sizeof(on)), 0);
  int error = send_to(guest.get(), test::kOtherServer, 7778, "x");
  for (int i = 0; i < 100 && error == 0; ++i) {
    (void)::usleep(5000);
    error = send_to(guest.get(), test::kOtherServer, 7778, "x");
  }
  EXPECT_EQ(error, ECONNREFUSED);
  Lab::load(rules);
  filter::Nft().apply(
      "table ip guests {\n chain post {\n type nat hook postrouting priority 100;\n"
      " ip saddr 192.0.2.0/24 oifname \"wan\" masquerade\n }\n}\n");
  const UniqueFd other = udp_in(neighbour.netns, "192.0.2.2");
  const UniqueFd far = udp_in(lab.server, test::kServer, 7779);
  ASSERT_EQ(send_to(other.get(), test::kServer, 7779, "x"), 0);
  const auto query = receive(far.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->source, test::kHostWan);
  EXPECT_TRUE(arrives(far.get(), other.get(), query->port, test::kHostWan)) << "masqueraded";
}

/// It belongs to a connection that is established, which is not enough.
NETNS_TEST(HostFilter, AGuardedUplinkForwardsNothingInTheNamespacesName) {
  const Lab lab;
  HostFilter rules = Lab::host_filter();
  Lab::load(rules);
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_on_uplink(lab, test::kNsEnd, 5000);
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "hello"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  ASSERT_TRUE(arrives(server.get(), client.get(), query->port, test::kHostWan)) << "established";
  // A neighbour of the host takes the namespace's address and has the host carry on.
  const test::Netns neighbour;
  netlink::Socket socket;
  ASSERT_TRUE(netlink::create_veth(socket, {"lan", "eth0", neighbour.fd(), 0, {}, {}}));
  Neighbour::configure(socket, "lan", "192.0.2.1/24");
  for (const char* device : {"all", "lan"}) {
    ASSERT_EQ(netlink::write_sysctl(formatted("net/ipv4/conf/{}/rp_filter", device), "0"), 0);
  }
  ASSERT_EQ(netlink::write_sysctl("net/ipv4/conf/lan/forwarding", "1"), 0);
  neighbour.run([] {
    netlink::Socket there;
    Neighbour::configure(there, "eth0", "192.0.2.2/24");
    Neighbour::configure(there, "eth0", "10.213.0.2/32");
    Neighbour::route(there, "198.51.100.0/24", "192.0.2.1");
  });
  const UniqueFd forger = udp_in(neighbour, test::kNsEnd, 5000);
  bool forged = false;
  for (int i = 0; i < 20 && !forged; ++i) {  // the new link's first packets may be lost
    forged = arrives(forger.get(), server.get(), test::kEndpointPort);
  }
  EXPECT_TRUE(forged) << "positive control";
  while (receive(server.get(), kSilence)) {
    // the others, which waited for the host's address to be known
  }
  rules.guarded_uplinks = {"lan"};
  Lab::load(rules);
  EXPECT_FALSE(arrives(forger.get(), server.get(), test::kEndpointPort));
  EXPECT_TRUE(arrives(client.get(), server.get(), test::kEndpointPort)) << "the client's own pass";
}

}  // namespace
}  // namespace vpnrun::filter
