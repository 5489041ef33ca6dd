// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the rules of the host cost traffic that has nothing to do with a link: processor time per
// datagram over loopback, with the tables of 0, 1, 20 and 200 profiles, as they are and as they
// were up to 0.1.0 (a table for each profile). Prints; asserts nothing.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "profiles/base/format.h"
#include "systemd/service/filter/host_table.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/link.h"
#include "tests/netns/lab.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun {
namespace {

using filter::HostFilter;

double microseconds_now(clockid_t clock) {
  ::timespec time{};
  (void)::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

HostFilter filter_of(int number) {
  HostFilter filter = test::Lab::host_filter();
  filter.profile_name = formatted("p{}", number);
  filter.link = formatted("vr-p{}", number);
  filter.addresses = {test::ip(formatted("10.213.{}.2", number)),
                      test::ip(formatted("10.213.{}.1", number))};
  filter.guarded_uplinks = {"wan"};
  return filter;
}

/// What a profile had in a table of its own.
std::string former_table(const HostFilter& filter) {
  const std::string ns_address = filter.addresses.ns_address.str();
  const std::string host_address = filter.addresses.host_address.str();
  return formatted(
      "table inet vpnrun-{0} {{\n"
      " chain from_link {{\n  ip saddr {2} ip daddr . meta l4proto . th dport {{ {4} . udp . 1194 "
      "}} "
      "accept\n  drop\n }}\n"
      " chain from_namespace {{\n  type filter hook prerouting priority -300;\n"
      "  iifname \"{1}\" goto from_link\n  ip daddr {{ {2}, {3} }} iifname != \"lo\" drop\n }}\n"
      " chain unasked {{\n  ct state established,related ct direction reply accept\n  drop\n }}\n"
      " chain judged {{\n  type filter hook prerouting priority -150;\n"
      "  iifname \"{1}\" ct state invalid drop\n"
      "  meta nfproto ipv4 iifname {{ \"wan\" }} fib daddr type unicast goto unasked\n }}\n"
      " chain to_link {{\n  ip daddr {2} ip saddr . meta l4proto . th sport {{ {4} . udp . 1194 }} "
      "ct "
      "direction reply accept\n  drop\n }}\n"
      " chain to_namespace {{\n  type filter hook postrouting priority 0;\n"
      "  oifname \"{1}\" goto to_link\n  ip daddr {2} drop\n }}\n"
      " chain source {{\n  type nat hook postrouting priority 100;\n"
      "  ip saddr {2} oifname != \"{1}\" masquerade\n }}\n"
      " chain guard {{\n  type filter hook forward priority 0;\n"
      "  meta nfproto ipv4 iifname \"wan\" oifname != \"vr-*\" goto unasked\n }}\n}}\n"
      "table ip vpnrun-{0} {{\n chain flows {{\n  type filter hook prerouting priority -150;\n"
      "  iifname \"{1}\" ct state new limit rate over 50/second burst 64 packets drop\n"
      "  iifname \"{1}\" ct state new ct count over 128 drop\n }}\n}}\n",
      filter.profile_name, filter.link, ns_address, host_address, test::kServer);
}

void load(int profiles, bool former, const test::ScratchFolder& folder) {
  filter::Nft nft;
  filter::HostTable table(nft, folder / "records");
  for (int i = 1; i <= profiles; ++i) {
    const HostFilter filter = filter_of(i);
    if (former) {
      nft.apply(former_table(filter));
    } else {
      table.set(filter);
      table.set_arp(filter);
      table.set_flow_limit(filter, filter::FlowLimit::kCount);
    }
  }
}

/// A namespace with the tables, and two sockets in it.
struct Scene {
  Scene(int number, bool is_former) : profiles(number), former(is_former) {
    netns.run([this] {
      netlink::Socket socket;
      netlink::LinkChange up;
      up.up = true;
      (void)netlink::change_link(socket, netlink::find_link(socket, "lo").value().index, up);
      load(profiles, former, folder);
      receiver = test::udp_socket("127.0.0.1", 7000);
      sender = test::udp_socket("127.0.0.1", 7001);
      ::sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(7000);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      (void)::connect(sender.get(), reinterpret_cast<::sockaddr*>(&to), sizeof to);
    });
  }

  void round() {
    constexpr int kDatagrams = 20'000;
    char byte = 'x';
    const double start = microseconds_now(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < kDatagrams; ++i) {
      (void)::send(sender.get(), &byte, 1, 0);
      (void)::recv(receiver.get(), &byte, 1, 0);
    }
    best = std::min(best, (microseconds_now(CLOCK_PROCESS_CPUTIME_ID) - start) / kDatagrams);
  }

  int profiles;
  bool former;
  double best = 1e9;
  test::Netns netns;
  test::ScratchFolder folder;
  UniqueFd receiver;
  UniqueFd sender;
};

TEST(Bench, TrafficOfOthers) {
  test::run_isolated([] {
    std::vector<std::unique_ptr<Scene>> scenes;
    scenes.push_back(std::make_unique<Scene>(0, false));
    for (const bool former : {false, true}) {
      for (const int profiles : {1, 20, 200}) {
        scenes.push_back(std::make_unique<Scene>(profiles, former));
      }
    }
    // In turns, so that what else the machine does meanwhile hits all of them.
    for (int i = 0; i < 20; ++i) {
      for (const auto& scene : scenes) {
        scene->round();
      }
    }
    for (const auto& scene : scenes) {
      std::printf("%3d profiles%-24s %7.2f us per datagram  %6.2f times that of none\n",
                  scene->profiles, scene->former ? ", a table for each" : "", scene->best,
                  scene->best / scenes.front()->best);
    }
  });
}

/// What one change of one profile costs its companion, with others there.
TEST(Bench, AChangeOfOneProfile) {
  test::run_isolated([] {
    for (const int profiles : {1, 20, 200}) {
      const test::ScratchFolder folder;
      const test::Netns netns;
      netns.run([&] {
        load(profiles, false, folder);
        filter::Nft nft;
        filter::HostTable table(nft, folder / "records");
        HostFilter filter = filter_of(1);
        table.set(filter);
        std::vector<double> times;
        for (int i = 0; i < 20; ++i) {
          filter.traced = !filter.traced;
          const double start = microseconds_now(CLOCK_MONOTONIC);
          table.set(filter);
          times.push_back(microseconds_now(CLOCK_MONOTONIC) - start);
        }
        const double start = microseconds_now(CLOCK_MONOTONIC);
        const bool there = table.has("p1");
        const double look = microseconds_now(CLOCK_MONOTONIC) - start;
        std::sort(times.begin(), times.end());
        std::printf("%3d profiles: change %8.1f us (median), look %8.1f us%s\n", profiles,
                    times[times.size() / 2], look, there ? "" : " (nothing there)");
      });
    }
  });
}

}  // namespace
}  // namespace vpnrun
