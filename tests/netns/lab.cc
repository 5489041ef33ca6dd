// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/lab.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "profiles/base/error.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/sysctl.h"
#include "systemd/service/netlink/tun.h"

namespace vpnrun::test {
namespace {

using netlink::Socket;

int index_of(Socket& socket, const std::string& name) {
  const auto link = netlink::find_link(socket, name);
  if (!link) {
    throw Error("no link '" + name + "'");
  }
  return link->index;
}

void configure(Socket& socket, const std::string& name, const std::vector<std::string>& addresses) {
  const int index = index_of(socket, name);
  netlink::LinkChange up;
  up.up = true;
  (void)netlink::change_link(socket, index, up);
  for (const std::string& address : addresses) {
    (void)netlink::add_address(socket, {index, prefix(address), std::nullopt});
  }
}

void set(const std::string& name, const std::string& value) {
  if (const int error = netlink::write_sysctl(name, value); error != 0) {
    throw_error(error, "cannot set {}", name);
  }
}

UniqueFd attach(const std::string& name) {
  UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ::ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (tun.ok() && ::ioctl(tun.get(), TUNSETIFF, &request) != 0) {
    throw_errno("cannot attach to '{}'", name);
  }
  return tun;
}

void raise_inside(Lab& lab) {
  Socket socket;
  configure(socket, "lo", {});
  configure(socket, "uplink", {std::string(kNsEnd) + "/30", std::string(kNsEnd6) + "/64"});
  netlink::Route endpoint;
  endpoint.destination = prefix(std::string(kServer) + "/32");
  endpoint.gateway = ip(kHostEnd);
  endpoint.ifindex = index_of(socket, "uplink");
  netlink::replace_route(socket, endpoint);

  if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
    return;
  }
  (void)netlink::create_tun("tun0", 0);
  lab.tun = attach("tun0");
  configure(socket, "tun0",
            {std::string(kTunnelAddress) + "/24", std::string(kTunnelAddress6) + "/64"});
  set("net/ipv4/conf/tun0/route_localnet", "1");
  netlink::allow_ipv6_loopback(socket, index_of(socket, "tun0"));
  netlink::DefaultRoute(index_of(socket, "tun0"), netlink::Families::kBoth).install();
}

/// Until `client` gets something to `address` and back.
void wait_for_answer(int client, int server, const std::string& address, std::uint16_t port) {
  for (int i = 0; i < 100; ++i) {
    (void)send_to(client, address, port, "ready");
    if (const auto query = receive(server, 20)) {
      (void)send_to(server, query->source, query->port, "ready");
      if (receive(client, 20)) {
        return;
      }
    }
  }
  throw Error("the lab's link to " + address + " does not come up");
}

/// The kernel opens the queue of a link that has got its carrier, and makes its IPv6 addresses
/// work, a little later from a work queue; what is sent before that is lost.
void wait_for_links(const Lab& lab) {
  constexpr std::uint16_t kPort = 9;
  UniqueFd client;
  UniqueFd client6;
  UniqueFd server;
  lab.server.run([&] { server = udp_socket(kServer, kPort); });
  lab.inside.run([&] {
    client = udp_socket(kNsEnd);
    client6 = udp_socket(kNsEnd6);
  });
  wait_for_answer(client.get(), server.get(), kServer, kPort);
  wait_for_answer(client6.get(), udp_socket(kHostEnd6, kPort).get(), kHostEnd6, kPort);
}

}  // namespace

Lab::Lab() {
  Socket socket;
  if (!netlink::create_veth(socket, {kHostLink, "uplink", inside.fd(), 0, {}, {}}) ||
      !netlink::create_veth(socket, {"wan", "eth0", server.fd(), 0, {}, {}})) {
    throw Error("cannot raise the lab: a link is there already");
  }
  configure(socket, "lo", {});
  configure(socket, kHostLink, {std::string(kHostEnd) + "/30", std::string(kHostEnd6) + "/64"});
  configure(socket, "wan", {std::string(kHostWan) + "/24"});
  set("net/ipv4/conf/vr-lab/forwarding", "1");
  set("net/ipv4/conf/wan/forwarding", "1");
  server.run([] {
    Socket there;
    configure(there, "eth0", {std::string(kServer) + "/24", std::string(kOtherServer) + "/24"});
    // Answers find their way even if the host did not translate: a leak must be seen.
    netlink::Route back;
    back.destination = prefix("10.213.0.0/30");
    back.gateway = ip(kHostWan);
    back.ifindex = index_of(there, "eth0");
    netlink::replace_route(there, back);
  });
  inside.run([this] { raise_inside(*this); });
  wait_for_links(*this);
}

void require_tun(const Lab& lab) {
  if (!lab.tun.ok()) {
    throw Skipped("no access to /dev/net/tun; run this as root");
  }
}

filter::InsideFilter Lab::inside_filter() {
  filter::InsideFilter rules;
  rules.client_uid = ::getuid();
  rules.link = {ip(kNsEnd), ip(kHostEnd)};
  rules.endpoints = {{ip(kServer), Transport::kUdp, kEndpointPort}};
  rules.tunnel_addresses = {ip(kTunnelAddress), ip(kTunnelAddress6)};
  rules.dns_servers = {ip(kTunnelDns), ip(kTunnelDns6)};
  return rules;
}

filter::HostFilter Lab::host_filter() {
  filter::HostFilter rules;
  rules.profile_name = "lab";
  rules.link = kHostLink;
  rules.addresses = {ip(kNsEnd), ip(kHostEnd)};
  rules.endpoints = {{ip(kServer), Transport::kUdp, kEndpointPort}};
  return rules;
}

void Lab::load(const filter::InsideFilter& rules) const {
  inside.run([&] { filter::Nft().apply(filter::inside_ruleset(rules)); });
}

void Lab::load(const filter::HostFilter& rules) {
  filter::Nft().apply(filter::host_ruleset(rules, {}));
}

}  // namespace vpnrun::test
