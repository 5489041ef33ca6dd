// SPDX-License-Identifier: GPL-2.0-or-later
//
// "Nothing is told" is shown by something that is told later, through the same sockets, and alone.
#include "systemd/service/link/outer_watch.h"

#include <chrono>
#include <ostream>

#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "tests/netns/link_lab.h"
#include "tests/netns/netns_process.h"

namespace vpnrun::service {
namespace {

using test::LinkLab;

std::string text(const OuterNews& news) {
  std::string words;
  for (const auto& [there, word] :
       {std::pair(news.pair, " pair"), std::pair(news.forwarding, " forwarding"),
        std::pair(news.routes, " routes"), std::pair(news.interfaces, " interfaces"),
        std::pair(news.maybe_online, " maybe_online"), std::pair(news.rules, " rules")}) {
    words += there ? word : "";
  }
  return words;
}

/// A watch for the link vr-mine, whose profile forwards by wan.
struct Watched {
  Watched() {
    test::make_strange_link(lab.outer, "vr-mine");
    OuterWatch::Events events;
    events.changed = [this](const OuterNews& one) {
      news |= one;
      ++told;
    };
    watch.emplace(lab.loop, lab.outer, "mine", std::move(events));
    watch->follow_link(index("vr-mine"), true);
    watch->follow(true, {"wan"});
    (void)after([] {});
  }

  [[nodiscard]] int index(const std::string& name) {
    return netlink::find_link(lab.outer.socket(), name).value().index;
  }
  void change(const std::string& name, bool up) {
    netlink::LinkChange change;
    change.up = up;
    ASSERT_TRUE(netlink::change_link(lab.outer.socket(), index(name), change));
  }
  void route(const std::string& destination, const std::string& by) {
    netlink::Route route;
    route.destination = test::prefix(destination);
    route.ifindex = index(by);
    netlink::replace_route(lab.outer.socket(), route);
  }
  /// What is told of `body`, and of a table of ours that goes after it.
  [[nodiscard]] std::string after(const std::function<void()>& body) {
    body();
    lab.outer.nft().apply("table inet mine {}");
    EXPECT_TRUE(lab.outer.nft().remove("mine"));
    news = {};
    EXPECT_TRUE(lab.turn_until([this] { return news.rules; }));
    return text(news);
  }

  LinkLab lab;
  std::optional<OuterWatch> watch;
  OuterNews news;
  int told = 0;
};

NETNS_TEST(OuterWatch, OtherProfilesLinksAreNoNews) {
  Watched watched;
  auto& outer = watched.lab.outer;
  EXPECT_EQ(watched.after([&] {
    test::make_strange_link(outer, "vr-other");
    const int other = watched.index("vr-other");
    EXPECT_TRUE(
        netlink::add_address(outer.socket(), {other, test::prefix("10.9.9.1/30"), std::nullopt}));
    watched.route("10.77.0.0/16", "vr-other");
    EXPECT_EQ(outer.write_sysctl("net/ipv4/conf/vr-other/forwarding", "1"), 0);
    watched.change("vr-other", false);
    EXPECT_TRUE(netlink::delete_link(outer.socket(), "vr-other"));
    outer.nft().apply("table inet vpnrun-other {}");
    EXPECT_TRUE(outer.nft().remove("vpnrun-other"));
  }),
            " rules");
}

NETNS_TEST(OuterWatch, OnesThatWereThereBeforeAreNoNewsEither) {
  LinkLab lab;
  test::make_strange_link(lab.outer, "vr-other");
  OuterNews news;
  OuterWatch::Events events;
  events.changed = [&](const OuterNews& one) { news |= one; };
  OuterWatch watch(lab.loop, lab.outer, "mine", std::move(events));
  watch.follow(true, {});
  ASSERT_TRUE(netlink::delete_link(lab.outer.socket(), "vr-other"));
  lab.outer.nft().apply("table inet mine {}");
  ASSERT_TRUE(lab.outer.nft().remove("mine"));
  ASSERT_TRUE(lab.turn_until([&] { return news.rules; }));
  EXPECT_FALSE(news.pair || news.interfaces || news.forwarding) << text(news);
}

NETNS_TEST(OuterWatch, ItsOwnLinkIsNews) {
  Watched watched;
  EXPECT_EQ(watched.after([&] { watched.change("vr-mine", false); }), " pair rules");
  EXPECT_EQ(watched.after([&] {
    EXPECT_TRUE(netlink::add_address(
        watched.lab.outer.socket(),
        {watched.index("vr-mine"), test::prefix("10.9.9.1/30"), std::nullopt}));
  }),
            " pair rules");
  EXPECT_EQ(watched.after([&] {
    EXPECT_EQ(watched.lab.outer.write_sysctl("net/ipv4/conf/vr-mine/forwarding", "1"), 0);
  }),
            " forwarding rules");
}

NETNS_TEST(OuterWatch, RoutesAreNewsWhileAnEndpointIsOpen) {
  Watched watched;
  EXPECT_EQ(watched.after([&] { watched.route("192.0.2.0/24", "wan"); }), " routes rules");
  watched.watch->follow(false, {"wan"});
  EXPECT_EQ(watched.after([&] { watched.route("192.0.2.0/25", "wan"); }), " rules");
  EXPECT_EQ(watched.after([&] { watched.route("0.0.0.0/0", "wan"); }), " maybe_online rules");
}

NETNS_TEST(OuterWatch, WhatForwardsForTheLinkIsNews) {
  Watched watched;
  auto& outer = watched.lab.outer;
  EXPECT_EQ(
      watched.after([&] { EXPECT_EQ(outer.write_sysctl("net/ipv4/conf/wan/forwarding", "1"), 0); }),
      " interfaces rules");
  EXPECT_EQ(watched.after([&] { EXPECT_EQ(outer.write_sysctl("net/ipv4/ip_forward", "1"), 0); }),
            " forwarding interfaces rules");
  EXPECT_EQ(watched.after([&] { watched.change("wan", false); }), " routes interfaces rules");
  watched.watch->follow(false, {});
  EXPECT_EQ(
      watched.after([&] { EXPECT_EQ(outer.write_sysctl("net/ipv4/conf/wan/forwarding", "0"), 0); }),
      " rules");
}

NETNS_TEST(OuterWatch, ABurstIsToldOnceAndAFailedLookComesAgain) {
  Watched watched;
  watched.told = 0;
  EXPECT_EQ(watched.after([&] {
    for (int i = 0; i < 50; ++i) {
      watched.route("192.0.2.0/24", "wan");
      watched.route("192.0.2.0/25", "wan");
    }
  }),
            " routes rules");
  EXPECT_EQ(watched.told, 1);

  LinkLab& lab = watched.lab;
  int looks = 0;
  OuterNews seen;
  OuterWatch::Events events;
  events.changed = [&](const OuterNews& news) {
    seen = news;
    ++looks;
    if (!news.rules) {
      throw std::runtime_error("not now");
    }
  };
  watched.watch.reset();
  watched.watch.emplace(lab.loop, lab.outer, "mine", std::move(events));
  watched.watch->follow(true, {"wan"});
  watched.route("192.0.2.0/26", "wan");
  ASSERT_TRUE(lab.turn_until([&] { return looks == 1; }));
  EXPECT_TRUE(seen.routes);
  const auto quiet = lab.loop.now() + std::chrono::seconds(3);  // IPv6 begins
  (void)lab.turn_until([&] { return lab.loop.now() > quiet; });
  const int before = looks;
  EXPECT_TRUE(lab.turn_until([&] { return looks > before; })) << "nothing else happens";
  EXPECT_TRUE(seen.routes);
  lab.outer.nft().apply("table inet mine {}");
  ASSERT_TRUE(lab.outer.nft().remove("mine"));
  ASSERT_TRUE(lab.turn_until([&] { return seen.rules; }));
  EXPECT_TRUE(seen.routes) << text(seen);
}

}  // namespace
}  // namespace vpnrun::service
