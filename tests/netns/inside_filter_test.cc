// SPDX-License-Identifier: GPL-2.0-or-later
//
// The filter inside the namespace, alone: the host forwards everything here.
#include "systemd/service/filter/inside_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "profiles/base/error.h"
#include "systemd/service/filter/nft.h"
#include "tests/netns/lab.h"

namespace vpnrun::filter {
namespace {

using test::kSilence;
using test::Lab;
using test::receive;
using test::send_to;
using test::udp_socket;

/// A socket in another namespace of the lab.
UniqueFd udp_in(const test::Netns& netns, const std::string& address, std::uint16_t port = 0) {
  UniqueFd fd;
  netns.run([&] { fd = udp_socket(address, port); });
  return fd;
}

/// Whether a datagram from `sender` gets to `receiver` at kServer (or `address`) and `port`.
bool arrives(int sender, int receiver, std::uint16_t port, const char* address = test::kServer) {
  const bool sent = send_to(sender, address, port, "x") == 0;
  return receive(receiver, sent ? kSilence : 0).has_value();
}

NETNS_TEST(InsideFilter, ClientReachesItsEndpointAndHearsTheAnswer) {
  const Lab lab;
  lab.load(Lab::inside_filter());
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_in(lab.inside, "0.0.0.0");
  ASSERT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "hello"), 0);
  const auto query = receive(server.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->source, test::kNsEnd);
  ASSERT_EQ(send_to(server.get(), query->source, query->port, "answer"), 0);
  EXPECT_TRUE(receive(client.get()));
}

NETNS_TEST(InsideFilter, NothingLeavesASealedNamespace) {
  const Lab lab;
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_in(lab.inside, "0.0.0.0");
  EXPECT_TRUE(arrives(client.get(), server.get(), test::kEndpointPort)) << "positive control";
  lab.inside.run([] {
    Nft().apply(seal_ruleset());
    EXPECT_THROW(Nft().apply(seal_ruleset()), Error) << "sealed twice";
  });
  EXPECT_FALSE(arrives(client.get(), server.get(), test::kEndpointPort));
}

NETNS_TEST(InsideFilter, AnotherUserDoesNotReachTheEndpoint) {
  const Lab lab;
  const UniqueFd server = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd client = udp_in(lab.inside, "0.0.0.0");
  InsideFilter rules = Lab::inside_filter();
  lab.load(rules);
  EXPECT_TRUE(arrives(client.get(), server.get(), test::kEndpointPort)) << "positive control";
  rules.client_uid = ::getuid() + 1;
  lab.load(rules);
  EXPECT_EQ(send_to(client.get(), test::kServer, test::kEndpointPort, "x"), EPERM);
  EXPECT_FALSE(receive(server.get(), kSilence));
}

NETNS_TEST(InsideFilter, OtherPortsAddressesAndSourcesAreClosedToTheClientToo) {
  const Lab lab;
  const UniqueFd endpoint = udp_in(lab.server, test::kServer, test::kEndpointPort);
  const UniqueFd other_port = udp_in(lab.server, test::kServer, 1195);
  const UniqueFd other_host = udp_in(lab.server, test::kOtherServer, test::kEndpointPort);
  const UniqueFd host = udp_socket(test::kHostEnd, test::kEndpointPort);
  UniqueFd client = udp_in(lab.inside, test::kNsEnd);
  lab.inside.run([&] { test::bind_to_device(client.get(), "uplink"); });
  EXPECT_TRUE(arrives(client.get(), other_port.get(), 1195)) << "positive control";
  EXPECT_TRUE(arrives(client.get(), host.get(), test::kEndpointPort, test::kHostEnd))
      << "positive control";
  lab.load(Lab::inside_filter());
  EXPECT_TRUE(arrives(client.get(), endpoint.get(), test::kEndpointPort)) << "positive control";
  EXPECT_FALSE(arrives(client.get(), other_port.get(), 1195));
  EXPECT_FALSE(arrives(client.get(), other_host.get(), test::kEndpointPort, test::kOtherServer));
  EXPECT_FALSE(arrives(client.get(), host.get(), test::kEndpointPort, test::kHostEnd));
}

NETNS_TEST(InsideFilter, TcpToTheEndpointOfAUdpTunnelIsClosed) {
  const Lab lab;
  UniqueFd listener;
  lab.server.run([&] { listener = test::tcp_listener(test::kServer, test::kEndpointPort); });
  const auto connect = [&] {
    int error = 0;
    lab.inside.run([&] { error = test::tcp_connect(test::kServer, test::kEndpointPort); });
    return error;
  };
  EXPECT_EQ(connect(), 0) << "positive control";
  lab.load(Lab::inside_filter());
  EXPECT_NE(connect(), 0);
  InsideFilter rules = Lab::inside_filter();
  rules.endpoints.front().transport = Transport::kTcp;
  lab.load(rules);
  EXPECT_EQ(connect(), 0);
}

NETNS_TEST(InsideFilter, WhatIsRefusedIsRefusedAtOnceAndNotLeftToHang) {
  const Lab lab;
  const UniqueFd listener = test::tcp_listener(test::kHostEnd, 8000);
  const auto connect = [&] {
    int error = 0;
    lab.inside.run([&] { error = test::tcp_connect(test::kHostEnd, 8000); });
    return error;
  };
  EXPECT_EQ(connect(), 0) << "positive control";
  lab.load(Lab::inside_filter());
  EXPECT_EQ(connect(), ECONNREFUSED);
  lab.load(InsideFilter{});
  EXPECT_EQ(connect(), ECONNREFUSED) << "sealed";
}

/// The answer to what is refused is for whoever has the source address: it must not leave either.
NETNS_TEST(InsideFilter, NoAnswerToWhatIsRefusedLeavesTheNamespace) {
  const Lab lab;
  const UniqueFd raw = [&] {
    UniqueFd fd;
    lab.inside.run([&] { fd.reset(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)); });
    return fd;
  }();
  ASSERT_TRUE(raw.ok());
  // A datagram in the server's name, to the host's end.
  const UniqueFd host = udp_socket(test::kHostEnd, 8000);
  const UniqueFd server = udp_in(lab.server, test::kServer, 8000);
  UniqueFd icmp;
  lab.server.run([&] { icmp.reset(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)); });
  ASSERT_TRUE(icmp.ok());
  std::array<unsigned char, 29> packet = {0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17};
  ASSERT_EQ(::inet_pton(AF_INET, test::kServer, &packet[12]), 1);
  ASSERT_EQ(::inet_pton(AF_INET, test::kHostEnd, &packet[16]), 1);
  packet[20] = packet[22] = 8000 >> 8;
  packet[21] = packet[23] = 8000 & 0xff;
  packet[25] = 9;
  packet[28] = 'x';
  ::sockaddr_in to{};
  to.sin_family = AF_INET;
  ASSERT_EQ(::inet_pton(AF_INET, test::kHostEnd, &to.sin_addr), 1);
  const auto send_forged = [&] {
    return ::sendto(raw.get(), packet.data(), packet.size(), 0,
                    reinterpret_cast<const ::sockaddr*>(&to), sizeof to);
  };
  const auto hears_icmp = [&icmp](int timeout_ms) {
    ::pollfd waiting{icmp.get(), POLLIN, 0};
    return ::poll(&waiting, 1, timeout_ms) > 0;
  };
  EXPECT_EQ(send_forged(), static_cast<::ssize_t>(packet.size()));
  lab.inside.run([&] {
    Nft().apply(
        "table inet other { chain output { type filter hook output priority 0; "
        "ip daddr " +
        std::string(test::kHostEnd) + " reject with icmpx admin-prohibited; }; }");
  });
  (void)send_forged();
  EXPECT_TRUE(hears_icmp(1000)) << "positive control";
  std::array<char, 256> heard{};
  (void)::recv(icmp.get(), heard.data(), heard.size(), MSG_DONTWAIT);
  lab.inside.run([] { (void)Nft().remove("other"); });
  lab.load(Lab::inside_filter());
  (void)send_forged();
  EXPECT_FALSE(hears_icmp(kSilence));
}

NETNS_TEST(InsideFilter, Ipv6OnTheVethIsClosed) {
  const Lab lab;
  const UniqueFd host = udp_socket(test::kHostEnd6, test::kEndpointPort);
  const UniqueFd client = udp_in(lab.inside, test::kNsEnd6);
  EXPECT_TRUE(arrives(client.get(), host.get(), test::kEndpointPort, test::kHostEnd6))
      << "positive control";
  lab.load(Lab::inside_filter());
  EXPECT_FALSE(arrives(client.get(), host.get(), test::kEndpointPort, test::kHostEnd6));
}

NETNS_TEST(InsideFilter, TheHostReachesExposedPortsOnly) {
  const Lab lab;
  InsideFilter rules = Lab::inside_filter();
  rules.expose = {{Transport::kTcp, 9091}};
  UniqueFd exposed;
  UniqueFd closed;
  lab.inside.run([&] {
    exposed = test::tcp_listener("0.0.0.0", 9091);
    closed = test::tcp_listener("0.0.0.0", 9092);
  });
  EXPECT_EQ(test::tcp_connect(test::kNsEnd, 9092), 0) << "positive control";
  lab.load(rules);
  EXPECT_EQ(test::tcp_connect(test::kNsEnd, 9091), 0);
  EXPECT_NE(test::tcp_connect(test::kNsEnd, 9092), 0);
}

NETNS_TEST(InsideFilter, AnExposedPortIsNoWayOut) {
  const Lab lab;
  InsideFilter rules = Lab::inside_filter();
  rules.expose = {{Transport::kTcp, 9091}, {Transport::kUdp, 9091}};
  const UniqueFd listener = test::tcp_listener(test::kHostEnd, 8080);
  const UniqueFd receiver = udp_socket(test::kHostEnd, 8080);
  const auto connect = [&] {
    int error = 0;
    lab.inside.run([&] { error = test::tcp_connect(test::kHostEnd, 8080, 9091); });
    return error;
  };
  EXPECT_EQ(connect(), 0) << "positive control";
  lab.load(rules);
  EXPECT_NE(connect(), 0);
  const UniqueFd sender = udp_in(lab.inside, test::kNsEnd, 9091);
  EXPECT_FALSE(arrives(sender.get(), receiver.get(), 8080, test::kHostEnd));
}

NETNS_TEST(InsideFilter, ApplicationsUseTheTunnelButNotWithTheVethsAddress) {
  const Lab lab;
  test::require_tun(lab);
  const UniqueFd any = udp_in(lab.inside, "0.0.0.0");
  const UniqueFd bound = udp_in(lab.inside, test::kNsEnd);
  ASSERT_EQ(send_to(bound.get(), "203.0.113.1", 443, "x"), 0);
  ASSERT_TRUE(test::read_packet(lab.tun.get())) << "positive control";
  lab.load(Lab::inside_filter());
  ASSERT_EQ(send_to(any.get(), "203.0.113.1", 443, "x"), 0);
  const auto packet = test::read_packet(lab.tun.get());
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->source, test::kTunnelAddress);
  EXPECT_EQ(send_to(bound.get(), "203.0.113.1", 443, "x"), EPERM);
  EXPECT_FALSE(test::read_packet(lab.tun.get(), kSilence));
}

NETNS_TEST(InsideFilter, TheTunnelReachesInboundPortsOfItsOwnAddressOnly) {
  const Lab lab;
  test::require_tun(lab);
  InsideFilter rules = Lab::inside_filter();
  rules.inbound = {{Transport::kUdp, 51413}};
  const UniqueFd open = udp_in(lab.inside, "0.0.0.0", 51413);
  const UniqueFd closed = udp_in(lab.inside, "0.0.0.0", 51414);
  test::Packet packet{4, "203.0.113.1", test::kTunnelAddress, 17, 999, 51414, "x"};
  test::write_udp(lab.tun.get(), packet);
  EXPECT_TRUE(receive(closed.get())) << "positive control";
  packet.destination = "127.0.0.1";
  packet.destination_port = 51413;
  test::write_udp(lab.tun.get(), packet);
  EXPECT_TRUE(receive(open.get())) << "positive control: route_localnet lets this in";

  lab.load(rules);
  for (const char* address : {"127.0.0.1", test::kNsEnd}) {
    packet.destination = address;
    test::write_udp(lab.tun.get(), packet);
    EXPECT_FALSE(receive(open.get(), kSilence)) << address;
  }
  packet.destination = test::kTunnelAddress;
  test::write_udp(lab.tun.get(), packet);
  EXPECT_TRUE(receive(open.get()));
  packet.destination_port = 51414;
  test::write_udp(lab.tun.get(), packet);
  EXPECT_FALSE(receive(closed.get(), kSilence));
}

NETNS_TEST(InsideFilter, AnswersComeInThroughTheTunnelInBothFamilies) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(Lab::inside_filter());
  for (const char* address : {"203.0.113.1", "2001:db8::1"}) {
    const UniqueFd client = udp_in(lab.inside, test::ip(address).is_ipv4() ? "0.0.0.0" : "::");
    ASSERT_EQ(send_to(client.get(), address, 443, "x"), 0);
    const auto packet = test::read_packet(lab.tun.get());
    ASSERT_TRUE(packet);
    test::write_udp(lab.tun.get(), test::answer_to(*packet, "answer"));
    EXPECT_TRUE(receive(client.get())) << address;
  }
}

NETNS_TEST(InsideFilter, ARefusedEndpointIsHeardOf) {
  const Lab lab;
  lab.load(Lab::inside_filter());
  const UniqueFd client = udp_in(lab.inside, "0.0.0.0");
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

}  // namespace
}  // namespace vpnrun::filter
