// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/link_lab.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "profiles/base/error.h"
#include "systemd/service/client_table.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/rule.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::test {
namespace {

/// Records of links are not to get onto the machine.
void hide_run() {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("run", "/run", "tmpfs", 0, "mode=0755") != 0) {
    throw_errno("cannot make a /run of the test's own");
  }
}

void raise(service::Netns& netns, const std::string& name,
           const std::vector<std::string>& addresses) {
  const auto link = netlink::find_link(netns.socket(), name);
  netlink::LinkChange up;
  up.up = true;
  if (!link || !netlink::change_link(netns.socket(), link->index, up)) {
    throw Error("no link '" + name + "'");
  }
  for (const auto& address : addresses) {
    (void)netlink::add_address(netns.socket(), {link->index, prefix(address), std::nullopt});
  }
}

UniqueFd capture_at(const service::Netns& netns, const char* device) {
  UniqueFd fd;
  netns.run([&] {
    fd.reset(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    ::sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(device));
    if (!fd.ok() ||
        ::bind(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)) != 0) {
      throw_errno("cannot capture");
    }
  });
  return fd;
}

}  // namespace

LinkLab::LinkLab() {
  hide_run();
  if (!netlink::create_veth(outer.socket(), {"wan", "eth0", beyond.fd(), 0, {}, {}})) {
    throw Error("cannot raise the lab");
  }
  for (service::Netns* netns : {&outer, &inside, &beyond}) {
    raise(*netns, "lo", {});
  }
  raise(outer, "wan", {std::string(kWan) + "/24"});
  raise(beyond, "eth0", {std::string(kServer) + "/24", std::string(kOtherServer) + "/24"});
  (void)netlink::add_rule(inside.socket(), {Family::kIpv4, 1, service::kClientTable, std::nullopt});
  capture = capture_at(beyond, "eth0");
}

profile::Profile LinkLab::profile(const std::string& name) {
  profile::Profile profile;
  profile.name = name;
  profile.path = name + ".toml";
  return profile;
}

Endpoint LinkLab::endpoint() {
  return {ip(kServer), Transport::kUdp, kPort};
}

bool LinkLab::turn_until(const std::function<bool()>& done) {
  constexpr std::chrono::seconds kPatience{20};
  constexpr std::chrono::milliseconds kPause{2};
  const auto end = loop.now() + kPatience;
  service::EventLoop::Handle timer;
  const std::function<void()> look = [&] {
    if (done() || loop.now() > end) {
      loop.stop();
    } else {
      timer = loop.after(kPause, look);
    }
  };
  timer = loop.after(kPause, look);
  loop.run();
  return done();
}

std::optional<Packet> LinkLab::send_to_endpoint(int client) const {
  // The kernel opens the queue of a link that has got its carrier a little later.
  for (int i = 0; i < 100; ++i) {
    (void)send_to(client, kServer, kPort, "hello");
    if (auto packet = read_packet(capture.get(), 20)) {
      return packet;
    }
  }
  return std::nullopt;
}

std::vector<std::string> LinkLab::captured(int wait_ms) const {
  std::vector<std::string> seen;
  while (const auto packet = read_packet(capture.get(), wait_ms)) {
    seen.push_back(packet->destination + ":" + std::to_string(packet->destination_port));
  }
  return seen;
}

void make_strange_link(service::Netns& netns, const std::string& name) {
  if (!netlink::create_veth(netns.socket(), {name, name + "-p", netns.fd(), 0, {}, {}})) {
    throw Error("the name '" + name + "' is taken");
  }
  raise(netns, name, {});
  raise(netns, name + "-p", {});
}

}  // namespace vpnrun::test
