// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/monitor.h"

#include <poll.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/sysctl.h"
#include "tests/netns/netns_process.h"
#include "tests/netns/packets.h"

namespace vpnrun::netlink {
namespace {

using test::Netns;
using test::prefix;

std::vector<Event> events_of(Monitor& monitor) {
  std::vector<Event> events;
  monitor.drain([&](const Event& event) { events.push_back(event); });
  return events;
}

/// For what the kernel reports from a work queue, a moment later.
std::vector<Event> late_events_of(Monitor& monitor) {
  std::vector<Event> events;
  ::pollfd poll{monitor.fd(), POLLIN, 0};
  while (::poll(&poll, 1, events.empty() ? 2000 : 20) == 1) {
    monitor.drain([&](const Event& event) { events.push_back(event); });
  }
  return events;
}

template <class T, class Matches>
bool has(const std::vector<Event>& events, Matches matches) {
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    const T* value = std::get_if<T>(&event);
    return value != nullptr && matches(*value);
  });
}

/// Makes vr-a and returns its index.
int make_link(Socket& socket, const Netns& peer) {
  EXPECT_TRUE(create_veth(socket, {"vr-a", "uplink", peer.fd(), 0, {}, {}}));
  const int index = find_link(socket, "vr-a")->index;
  LinkChange up;
  up.up = true;
  EXPECT_TRUE(change_link(socket, index, up));
  return index;
}

NETNS_TEST(Monitor, IsQuietUntilSomethingHappens) {
  Monitor monitor;
  ::pollfd poll{monitor.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&poll, 1, 0), 0);
  EXPECT_TRUE(events_of(monitor).empty());
  Socket socket;
  const Netns peer;
  (void)make_link(socket, peer);
  EXPECT_EQ(::poll(&poll, 1, 0), 1);
}

NETNS_TEST(Monitor, TellsOfLinksThatComeChangeAndGo) {
  const Netns peer;
  Socket socket;
  Monitor monitor;
  const int index = make_link(socket, peer);
  EXPECT_TRUE(has<LinkChanged>(events_of(monitor), [&](const LinkChanged& link) {
    return link.index == index && link.name == "vr-a" && link.up && !link.carrier && !link.deleted;
  }));
  peer.run([] {
    Socket there;
    LinkChange up;
    up.up = true;
    ASSERT_TRUE(change_link(there, find_link(there, "uplink")->index, up));
  });
  EXPECT_TRUE(has<LinkChanged>(late_events_of(monitor), [&](const LinkChanged& link) {
    return link.index == index && link.carrier;
  }));
  ASSERT_TRUE(delete_link(socket, "vr-a"));
  EXPECT_TRUE(has<LinkChanged>(events_of(monitor), [&](const LinkChanged& link) {
    return link.name == "vr-a" && link.deleted;
  }));
}

NETNS_TEST(Monitor, TellsOfAddressesAndRoutesOfBothFamilies) {
  const Netns peer;
  Socket socket;
  const int index = make_link(socket, peer);
  peer.run([] {
    Socket there;
    LinkChange up;
    up.up = true;
    ASSERT_TRUE(change_link(there, find_link(there, "uplink")->index, up));
  });
  Monitor monitor;
  for (const char* text : {"10.213.0.1/30", "fd00:213::1/64"}) {
    (void)events_of(monitor);
    ASSERT_TRUE(add_address(socket, {index, prefix(text), std::nullopt}));
    EXPECT_TRUE(has<AddressChanged>(late_events_of(monitor), [&](const AddressChanged& address) {
      return address.ifindex == index;
    })) << text;
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    (void)events_of(monitor);
    Route route;
    route.destination = Prefix::default_network(family);
    route.ifindex = index;
    replace_route(socket, route);
    EXPECT_TRUE(has<RouteChanged>(events_of(monitor), [&](const RouteChanged& changed) {
      return changed.ifindex == index && changed.is_default && !changed.deleted;
    }));
    ASSERT_TRUE(delete_route(socket, route));
    EXPECT_TRUE(has<RouteChanged>(events_of(monitor), [&](const RouteChanged& changed) {
      return changed.ifindex == index && changed.is_default && changed.deleted;
    }));
  }
}

NETNS_TEST(Monitor, TellsOfForwardingOfOneAndOfAllInterfaces) {
  const Netns peer;
  Socket socket;
  const int index = make_link(socket, peer);
  Monitor monitor;
  ASSERT_EQ(write_sysctl("net/ipv4/conf/vr-a/forwarding", "1"), 0);
  EXPECT_EQ(read_sysctl("net/ipv4/conf/vr-a/forwarding"), "1");
  EXPECT_TRUE(has<ForwardingChanged>(events_of(monitor), [&](const ForwardingChanged& changed) {
    return changed.ifindex == index && changed.enabled;
  }));
  ASSERT_EQ(write_sysctl("net/ipv4/ip_forward", "1"), 0);
  ASSERT_EQ(write_sysctl("net/ipv4/ip_forward", "0"), 0);
  EXPECT_TRUE(has<ForwardingChanged>(events_of(monitor), [](const ForwardingChanged& changed) {
    return changed.ifindex == kAllInterfaces && !changed.enabled;
  }));
}

NETNS_TEST(Monitor, SaysThatItLostMessages) {
  const Netns peer;
  Socket socket;
  const int index = make_link(socket, peer);
  Monitor monitor;
  Route route;
  route.ifindex = index;
  for (std::uint32_t i = 0; i < 12000; ++i) {
    route.destination = Prefix::host(IpAddress::from_ipv4(0x0a000000 + i));
    replace_route(socket, route);
  }
  EXPECT_TRUE(has<Overrun>(events_of(monitor), [](const Overrun&) { return true; }));
  (void)events_of(monitor);
  ASSERT_TRUE(delete_route(socket, route));
  EXPECT_TRUE(has<RouteChanged>(events_of(monitor), [](const RouteChanged& changed) {
    return changed.deleted;
  })) << "it goes on after an overrun";
}

NETNS_TEST(Monitor, PassesOnAnExceptionOfTheHandler) {
  const Netns peer;
  Socket socket;
  Monitor monitor;
  (void)make_link(socket, peer);
  EXPECT_THROW(monitor.drain([](const Event&) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_FALSE(events_of(monitor).empty());
}

}  // namespace
}  // namespace vpnrun::netlink
