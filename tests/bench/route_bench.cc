// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long it takes to cut applications off, and to load the filters. Prints; asserts nothing.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netlink/link.h"
#include "tests/netns/lab.h"

namespace vpnrun {
namespace {

using Clock = std::chrono::steady_clock;

template <class Action>
double microseconds(Action action) {
  const auto start = Clock::now();
  action();
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void print(const char* what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::printf("%-42s median %8.1f us  p99 %8.1f us  max %8.1f us\n", what, times[times.size() / 2],
              times[times.size() * 99 / 100], times.back());
}

void measure_routes() {
  netlink::Socket socket;
  netlink::DefaultRoute route(netlink::find_link(socket, "uplink").value().index,
                              netlink::Families::kBoth);
  constexpr int kRounds = 1000;
  std::vector<double> install;
  std::vector<double> remove;
  install.reserve(kRounds);
  remove.reserve(kRounds);
  for (int i = 0; i < kRounds; ++i) {
    install.push_back(microseconds([&] { route.install(); }));
    remove.push_back(microseconds([&] { (void)route.remove(); }));
  }
  print("default routes in (both families)", install);
  print("default routes out (both families)", remove);
}

void measure_filters() {
  constexpr int kRounds = 50;
  std::vector<double> seal;
  std::vector<double> first;
  std::vector<double> again;
  seal.reserve(kRounds);
  first.reserve(kRounds);
  again.reserve(kRounds);
  for (int i = 0; i < kRounds; ++i) {
    const test::Netns fresh;
    fresh.run([&] {
      seal.push_back(microseconds([] { filter::Nft().apply(filter::seal_ruleset()); }));
      filter::Nft nft;
      const auto load = [&] { nft.apply(filter::inside_ruleset(test::Lab::inside_filter())); };
      first.push_back(microseconds(load));
      again.push_back(microseconds(load));
    });
  }
  print("seal of a new namespace, with context", seal);
  print("full filter inside, first in its context", first);
  print("full filter inside, again", again);
  std::vector<double> host;
  host.reserve(kRounds);
  filter::Nft nft;
  for (int i = 0; i < kRounds; ++i) {
    host.push_back(
        microseconds([&] { nft.apply(filter::host_ruleset(test::Lab::host_filter(), {})); }));
  }
  print("filter of the host", host);
  filter::Nft child(filter::NftPlace::kChild);
  for (double& time : host) {
    (void)::usleep(30000);  // calls are seconds apart; the last child has ended by then
    time = microseconds([&] { child.apply(filter::host_ruleset(test::Lab::host_filter(), {})); });
  }
  print("filter of the host, by a child", host);
}

TEST(Bench, RoutesAndFilters) {
  test::run_isolated([] {
    const test::Lab lab;
    lab.inside.run(measure_routes);
    measure_filters();
  });
}

}  // namespace
}  // namespace vpnrun
