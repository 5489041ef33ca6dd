// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns_inside.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

netlink::Families families_of(const std::vector<IpAddress>& addresses) {
  const bool v4 = std::any_of(addresses.begin(), addresses.end(),
                              [](const auto& address) { return address.is_ipv4(); });
  const bool v6 = std::any_of(addresses.begin(), addresses.end(),
                              [](const auto& address) { return address.is_ipv6(); });
  if (v4 && v6) {
    return netlink::Families::kBoth;
  }
  return v6 ? netlink::Families::kIpv6 : netlink::Families::kIpv4;
}

}  // namespace

NetnsInside::NetnsInside(EventLoop& loop, const profile::Profile& profile, Netns& inside,
                         ::uid_t client_uid, std::function<void()> device_lost)
    : inside_(inside), device_lost_(std::move(device_lost)) {
  filter_.client_uid = client_uid;
  filter_.capture = profile.dns.capture;
  filter_.expose = profile.ports.expose;
  filter_.inbound = profile.ports.inbound;
  apply_filter();
  if (const auto stale = netlink::find_link(inside_.socket(), filter::kTunnelDevice)) {
    inside_.run(
        [&stale] { (void)netlink::DefaultRoute(stale->index, netlink::Families::kBoth).remove(); });
  }
  watch_ = loop.watch(inside_.monitor().fd(), EPOLLIN, [this](std::uint32_t) {
    inside_.monitor().drain([this](const netlink::Event& event) { on_event(event); });
  });
}

NetnsInside::~NetnsInside() {
  take_down();
  try {
    filter_.link.reset();
    filter_.endpoints.clear();
    apply_filter();
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

void NetnsInside::open(const std::optional<LinkAddresses>& link,
                       const std::vector<Endpoint>& endpoints) {
  std::optional<filter::LinkEnds> ends;
  if (link) {
    ends = filter::LinkEnds{link->inner, link->outer};
  }
  if (loaded_ && filter_.link == ends && filter_.endpoints == endpoints) {
    return;
  }
  filter_.link = ends;
  filter_.endpoints = endpoints;
  apply_filter();
}

void NetnsInside::bring_up(const TunnelSettings& settings,
                           const std::vector<IpAddress>& resolvers) {
  if (settings.addresses.empty()) {
    return;
  }
  std::vector<IpAddress> plain;
  for (const Prefix& prefix : settings.addresses) {
    plain.push_back(prefix.address);
  }
  find_device();
  set_up_device(settings);
  // The filter before the addresses: it drops what comes in for any other address.
  if (!loaded_ || filter_.tunnel_addresses != plain || filter_.dns_servers != resolvers) {
    filter_.tunnel_addresses = plain;
    filter_.dns_servers = resolvers;
    apply_filter();
  }
  std::vector<netlink::InterfaceAddress> addresses;
  for (const Prefix& prefix : settings.addresses) {
    addresses.push_back({0, prefix, std::nullopt});
  }
  netlink::set_addresses(inside_.socket(), device_index_, addresses);
  const auto families = families_of(plain);
  if (families != netlink::Families::kIpv4) {
    netlink::allow_ipv6_loopback(inside_.socket(), device_index_);
  }
  inside_.run([this, families] { netlink::DefaultRoute(device_index_, families).install(); });
  up_ = true;
}

/// A client may have made a new device since the last time.
void NetnsInside::find_device() {
  const auto device = netlink::find_link(inside_.socket(), filter::kTunnelDevice);
  if (!device) {
    throw_error(ENODEV, "cannot set up '{}'", filter::kTunnelDevice);
  }
  if (device->index != device_index_ || !any_default_) {
    inside_.run([this, &device] { any_default_.emplace(device->index, netlink::Families::kBoth); });
    device_index_ = device->index;
  }
}

void NetnsInside::set_up_device(const TunnelSettings& settings) {
  netlink::LinkChange change;
  change.up = true;
  if (settings.mtu != 0) {
    change.mtu = settings.mtu;
  }
  if (!netlink::change_link(inside_.socket(), device_index_, change)) {
    throw_error(ENODEV, "cannot set up '{}'", filter::kTunnelDevice);
  }
}

void NetnsInside::on_event(const netlink::Event& event) {
  const auto* link = std::get_if<netlink::LinkChanged>(&event);
  const bool says_so = link != nullptr
                           ? link->index == device_index_ && (!link->carrier || link->deleted)
                           : std::holds_alternative<netlink::Overrun>(event);
  // The event may be about the previous client, and be read only now that a new one is connected.
  if (up_ && says_so && !has_carrier()) {
    device_lost_();
  }
}

/// Also false if that cannot be determined.
bool NetnsInside::has_carrier() noexcept {
  try {
    const auto device = netlink::find_link(inside_.socket(), device_index_);
    return device && device->carrier;
  } catch (const std::exception&) {
    return false;
  }
}

void NetnsInside::take_down() noexcept {
  up_ = false;
  if (any_default_) {
    // If this fails, the route stays, but it leads to a device without carrier and counts as
    // absent.
    (void)any_default_->remove();
  }
}

void NetnsInside::apply_filter() {
  loaded_ = false;
  inside_.nft().apply(filter::inside_ruleset(filter_));
  loaded_ = true;
}

}  // namespace vpnrun::service
