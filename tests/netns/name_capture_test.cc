// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where queries for names go. The tests hold the VPN client's end of the tunnel device.
#include <cerrno>

#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "tests/netns/lab.h"

namespace vpnrun::filter {
namespace {

using test::kSilence;
using test::Lab;
using test::receive;
using test::send_to;

UniqueFd udp_inside(const Lab& lab, const std::string& address = "0.0.0.0") {
  UniqueFd fd;
  lab.inside.run([&] { fd = test::udp_socket(address); });
  return fd;
}

UniqueFd udp_for(const Lab& lab, const std::string& destination) {
  return udp_inside(lab, test::ip(destination).is_ipv4() ? "0.0.0.0" : "::");
}

/// Sends a query and answers it as the tunnel's resolver would.
void expect_captured(const Lab& lab, const std::string& destination, const std::string& resolver) {
  const UniqueFd client = udp_for(lab, destination);
  ASSERT_EQ(send_to(client.get(), destination, 53, "query"), 0) << destination;
  const auto query = test::read_packet(lab.tun.get());
  ASSERT_TRUE(query) << destination << " came not out of the tunnel";
  EXPECT_EQ(query->destination, resolver) << destination;
  EXPECT_EQ(query->destination_port, 53);
  EXPECT_EQ(query->source, query->version == 4 ? test::kTunnelAddress : test::kTunnelAddress6)
      << destination;
  test::write_udp(lab.tun.get(), test::answer_to(*query, "answer"));
  const auto answer = receive(client.get());
  ASSERT_TRUE(answer) << destination << ": the answer did not find its way back";
  EXPECT_EQ(answer->source, destination);
}

NETNS_TEST(NameCapture, QueriesToAnyAddressGoToTheResolverOfTheTunnel) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(Lab::inside_filter());
  expect_captured(lab, "8.8.8.8", test::kTunnelDns);
  expect_captured(lab, test::kTunnelDns, test::kTunnelDns);
  expect_captured(lab, "2001:4860:4860::8888", test::kTunnelDns6);
}

NETNS_TEST(NameCapture, QueriesToLoopbackAndToTheVethAreCapturedToo) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(Lab::inside_filter());
  expect_captured(lab, "127.0.0.53", test::kTunnelDns);
  expect_captured(lab, test::kHostEnd, test::kTunnelDns);
  expect_captured(lab, test::kNsEnd, test::kTunnelDns);
  expect_captured(lab, test::kTunnelAddress, test::kTunnelDns);
}

NETNS_TEST(NameCapture, QueriesToTheIpv6LoopbackAreCapturedToo) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(Lab::inside_filter());
  expect_captured(lab, "::1", test::kTunnelDns6);
}

NETNS_TEST(NameCapture, TcpIsCapturedAsWell) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(Lab::inside_filter());
  for (const char* destination : {"8.8.8.8", "127.0.0.53"}) {
    lab.inside.run([&] { (void)test::tcp_connect(destination, 53); });
    const auto syn = test::read_packet(lab.tun.get());
    ASSERT_TRUE(syn) << destination;
    EXPECT_EQ(syn->protocol, 6);
    EXPECT_EQ(syn->destination, test::kTunnelDns);
    EXPECT_EQ(syn->source, test::kTunnelAddress);
    while (test::read_packet(lab.tun.get(), 50)) {
    }
  }
}

/// Asks from a new port until a query goes to `resolver`, answering none. What came out last.
std::optional<test::Packet> ask_until(const Lab& lab, const std::string& destination,
                                      const std::string& resolver) {
  for (int i = 0; i < 400; ++i) {
    const UniqueFd client = udp_for(lab, destination);
    (void)send_to(client.get(), destination, 53, "query");
    auto query = test::read_packet(lab.tun.get());
    if (!query || query->destination == resolver) {
      return query;
    }
    EXPECT_FALSE(receive(client.get(), 50));
  }
  return std::nullopt;
}

constexpr const char* kSecondDns = "10.8.0.7";
constexpr const char* kSecondDns6 = "fd00:8::7";

InsideFilter two_resolvers() {
  InsideFilter rules = Lab::inside_filter();
  rules.dns_servers = {test::ip(test::kTunnelDns), test::ip(kSecondDns),
                       test::ip(test::kTunnelDns6), test::ip(kSecondDns6)};
  return rules;
}

NETNS_TEST(NameCapture, GoesToTheNextResolverWhileTheFirstIsSilent) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(two_resolvers());
  struct Case {
    const char* destination;
    const char* first;
    const char* second;
  };
  for (const Case& one : {Case{"127.0.0.53", test::kTunnelDns, kSecondDns},
                          Case{"2001:4860:4860::8888", test::kTunnelDns6, kSecondDns6}}) {
    expect_captured(lab, one.destination, one.first);
    expect_captured(lab, one.destination, one.first);
    const auto unanswered = ask_until(lab, one.destination, one.first);
    ASSERT_TRUE(unanswered);
    ASSERT_TRUE(ask_until(lab, one.destination, one.second));
    expect_captured(lab, one.destination, one.second);
    expect_captured(lab, one.destination, one.second);
    expect_captured(lab, one.first, one.first);  // whom somebody asks by name, he is asked
    expect_captured(lab, one.destination, one.first);
  }
}

NETNS_TEST(NameCapture, EachProtocolOfAResolverIsSilentForItself) {
  const Lab lab;
  test::require_tun(lab);
  lab.load(two_resolvers());
  bool turned = false;
  for (int i = 0; i < 20 && !turned; ++i) {
    lab.inside.run([] { (void)test::tcp_connect("8.8.8.8", 53); });
    while (const auto syn = test::read_packet(lab.tun.get(), 50)) {
      turned = turned || syn->destination == kSecondDns;
    }
  }
  EXPECT_TRUE(turned) << "TCP";
  expect_captured(lab, "8.8.8.8", test::kTunnelDns);
}

NETNS_TEST(NameCapture, WithoutAResolverEveryQueryIsRefusedAtOnce) {
  const Lab lab;
  test::require_tun(lab);
  InsideFilter rules = Lab::inside_filter();
  rules.dns_servers = {test::ip(test::kTunnelDns)};
  lab.load(rules);
  expect_captured(lab, "8.8.8.8", test::kTunnelDns);
  // No resolver in this family: refused, not lost.
  for (const char* destination : {"2001:4860:4860::8888", "::1"}) {
    const UniqueFd client = udp_for(lab, destination);
    (void)send_to(client.get(), destination, 53, "query");
    EXPECT_FALSE(test::read_packet(lab.tun.get(), kSilence)) << destination;
    lab.inside.run([&] { EXPECT_EQ(test::tcp_connect(destination, 53), ECONNREFUSED); });
  }
  rules.dns_servers.clear();
  lab.load(rules);
  for (const char* destination : {"8.8.8.8", "127.0.0.53", "::1"}) {
    lab.inside.run([&] { EXPECT_EQ(test::tcp_connect(destination, 53), ECONNREFUSED); });
    const UniqueFd client = udp_for(lab, destination);
    (void)send_to(client.get(), destination, 53, "query");
    EXPECT_FALSE(test::read_packet(lab.tun.get(), kSilence)) << destination;
  }
}

NETNS_TEST(NameCapture, AResolverBehindTheVethIsNotReachedByDetour) {
  // The resolver's address is the endpoint's: its host route leads over the veth. NAT turns a query
  // to loopback towards it after the output hook has seen "lo".
  const Lab lab;
  InsideFilter rules = Lab::inside_filter();
  rules.client_uid += 1;
  rules.dns_servers = {test::ip(test::kServer)};
  UniqueFd server;
  lab.server.run([&] { server = test::udp_socket(test::kServer, 53); });
  const UniqueFd client = udp_inside(lab);
  lab.inside.run([&] {
    Nft nft;
    nft.apply(inside_ruleset(rules));
    nft.apply("flush chain inet vpnrun leave; add rule inet vpnrun leave accept");
  });
  (void)send_to(client.get(), test::kHostEnd, 53, "query");
  EXPECT_TRUE(receive(server.get())) << "positive control: without the last chain it gets out";
  lab.load(rules);
  for (const char* destination : {test::kHostEnd, test::kServer, "127.0.0.53"}) {
    (void)send_to(client.get(), destination, 53, "query");
    EXPECT_FALSE(receive(server.get(), kSilence)) << destination;
  }
}

NETNS_TEST(NameCapture, TheClientsOwnEndpointMayBeOnPort53) {
  const Lab lab;
  InsideFilter rules = Lab::inside_filter();
  rules.endpoints.front().port = 53;
  UniqueFd server;
  lab.server.run([&] { server = test::udp_socket(test::kServer, 53); });
  const UniqueFd client = udp_inside(lab);
  lab.load(rules);
  ASSERT_EQ(send_to(client.get(), test::kServer, 53, "hello"), 0);
  EXPECT_TRUE(receive(server.get()));
}

NETNS_TEST(NameCapture, CanBeSwitchedOff) {
  const Lab lab;
  test::require_tun(lab);
  InsideFilter rules = Lab::inside_filter();
  rules.capture = false;
  lab.load(rules);
  const UniqueFd client = udp_inside(lab);
  ASSERT_EQ(send_to(client.get(), "8.8.8.8", 53, "query"), 0);
  const auto query = test::read_packet(lab.tun.get());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->destination, "8.8.8.8");
}

}  // namespace
}  // namespace vpnrun::filter
