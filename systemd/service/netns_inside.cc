// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netns_inside.h"

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/client_table.h"
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

bool is_among(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// TCP gives a connection up after a quarter of an hour; few servers change addresses that often.
constexpr std::ptrdiff_t kMostRetired = 8;
/// More than most machines have.
constexpr std::size_t kEndedAtOnce = 200;

}  // namespace

std::vector<IpAddress> to_be_retired(const std::vector<IpAddress>& former,
                                     const std::vector<IpAddress>& in_use) {
  std::vector<IpAddress> retired = in_use.empty() ? former : in_use;
  std::erase_if(
      retired, [&former](const IpAddress& one) { return one.is_ipv6() && !is_among(former, one); });
  return retired;
}

NetnsInside::NetnsInside(EventLoop& loop, const profile::Profile& profile, Netns& inside,
                         ::uid_t client_uid, std::function<void()> device_lost)
    : loop_(loop), inside_(inside), device_lost_(std::move(device_lost)) {
  filter_.client_uid = client_uid;
  filter_.capture = profile.dns.capture;
  filter_.expose = profile.ports.expose;
  filter_.inbound = profile.ports.inbound;
  apply_filter();
  route_client(inside_, client_uid);
  if (const auto stale = netlink::find_link(inside_.socket(), filter::kTunnelDevice)) {
    inside_.run(
        [&stale] { (void)netlink::DefaultRoute(stale->index, netlink::Families::kBoth).remove(); });
    for (const auto& one : netlink::list_addresses(inside_.socket())) {
      if (one.ifindex == stale->index) {
        left_.push_back(one.address.address);
      }
    }
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
    unroute_client(inside_);
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
  const bool moved = filter_.tunnel_addresses != plain;
  const auto former = filter_.tunnel_addresses.empty() ? left_ : filter_.tunnel_addresses;
  std::vector<IpAddress> retired = filter_.retired_addresses;
  std::erase_if(retired, [&plain](const IpAddress& one) { return is_among(plain, one); });
  // The filter before the addresses: it drops what comes in for any other address.
  if (!loaded_ || moved || filter_.dns_servers != resolvers ||
      filter_.retired_addresses != retired) {
    filter_.tunnel_addresses = plain;
    filter_.dns_servers = resolvers;
    filter_.retired_addresses = retired;
    apply_filter();
  }
  set_addresses(settings.addresses);
  const auto families = families_of(plain);
  if (families != netlink::Families::kIpv4) {
    netlink::allow_ipv6_loopback(inside_.socket(), device_index_);
  }
  install_default();
  up_ = true;
  if (moved) {
    // Later: the kernel goes through all its sockets for that, and the tunnel is not to wait.
    stale_.reset();
    ending_ = loop_.after(std::chrono::milliseconds(0), [this, former] {
      ending_.reset();
      list_stale_connections(former);
    });
  }
}

/// Those, and the retired ones.
void NetnsInside::set_addresses(const std::vector<Prefix>& current) {
  current_ = current;
  std::vector<netlink::InterfaceAddress> addresses;
  addresses.reserve(current.size() + filter_.retired_addresses.size());
  for (const Prefix& prefix : current) {
    addresses.push_back({0, prefix, std::nullopt});
  }
  for (const IpAddress& address : filter_.retired_addresses) {
    addresses.push_back({0, Prefix::host(address), std::nullopt, true});
  }
  netlink::set_addresses(inside_.socket(), device_index_, addresses);
}

/// `former`: what the tunnel had before, as far as that is known. A companion that has just been
/// started may know nothing of it: stale is what is no address here.
void NetnsInside::list_stale_connections(const std::vector<IpAddress>& former) noexcept {
  try {
    std::vector<IpAddress> own;
    for (const auto& one : netlink::list_addresses(inside_.socket())) {
      if (!one.retired) {
        own.push_back(one.address.address);
      }
    }
    const IpAddress any_ipv6 = *IpAddress::parse("::");
    const auto is_stale = [own, any_ipv6](const IpAddress& address) {
      const bool any = address == IpAddress() || address == any_ipv6;
      return !any && !address.is_loopback() && !is_among(own, address);
    };
    inside_.run([&] { stale_ = std::make_unique<netlink::StaleConnections>(is_stale); });
  } catch (const std::exception& error) {
    log::ignored(error);
    return;
  }
  end_stale_connections(former);
}

/// A few in each turn of the loop: a program may have a hundred thousand, and the tunnel may be
/// lost meanwhile.
void NetnsInside::end_stale_connections(const std::vector<IpAddress>& former) noexcept {
  try {
    const auto begin = loop_.now();
    if (stale_->end_some(kEndedAtOnce)) {
      ending_ = loop_.after(std::chrono::ceil<std::chrono::milliseconds>(loop_.now() - begin),
                            [this, former] {
                              ending_.reset();
                              end_stale_connections(former);
                            });
      return;
    }
    const netlink::EndedConnections ended = stale_->result();
    stale_.reset();
    if (ended.count != 0) {
      log::info("ended {} connections of an address that the tunnel no longer has", ended.count);
    }
    if (ended.error != 0) {
      log::debug("cannot end connections: {}", std::generic_category().message(ended.error));
      retire(to_be_retired(former, ended.left));
    }
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

/// The second best, on a kernel that cannot end connections: without its address a connection's
/// packets would not get as far as the filter, which answers them.
void NetnsInside::retire(const std::vector<IpAddress>& addresses) {
  auto& retired = filter_.retired_addresses;
  for (const IpAddress& address : addresses) {
    if (!is_among(filter_.tunnel_addresses, address) && !is_among(retired, address)) {
      retired.push_back(address);
    }
  }
  if (std::ssize(retired) > kMostRetired) {
    retired.erase(retired.begin(), retired.end() - kMostRetired);
  }
  apply_filter();
  if (up_) {
    install_default();
  }
  set_addresses(current_);
}

/// For IPv4 the kernel would choose the first address that may be used at all, which a retired one
/// may (of the machine's scope, but the device has route_localnet).
void NetnsInside::install_default() {
  std::optional<IpAddress> source;
  for (const IpAddress& address : filter_.tunnel_addresses) {
    if (!source && address.is_ipv4() && !filter_.retired_addresses.empty()) {
      source = address;
    }
  }
  const auto families = families_of(filter_.tunnel_addresses);
  inside_.run([&] { netlink::DefaultRoute(device_index_, families, source).install(); });
  (void)netlink::delete_route(inside_.socket(), nowhere_on(device_index_));
}

void NetnsInside::set_inbound(const std::vector<profile::Port>& ports) {
  const auto former = std::exchange(filter_.inbound, ports);
  try {
    apply_filter();
  } catch (const std::exception&) {
    filter_.inbound = former;
    throw;
  }
}

/// A client may have made a new one since the last time.
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
  try {
    if (device_index_ != 0) {
      netlink::replace_route(inside_.socket(), nowhere_on(device_index_));
    }
  } catch (const std::exception& error) {
    log::debug("who is bound to the tunnel's device waits: {}", error.what());  // it may be gone
  }
}

void NetnsInside::apply_filter() {
  loaded_ = false;
  try {
    inside_.nft().apply(filter::inside_ruleset(filter_));
  } catch (const Error& error) {
    if (!filter_.next_resolver || filter_.dns_servers.size() < 2) {
      throw;
    }
    log::debug("captured names stay with the first resolver: {}", error.what());
    filter_.next_resolver = false;  // the kernel may be too old for it
    inside_.nft().apply(filter::inside_ruleset(filter_));
  }
  loaded_ = true;
}

}  // namespace vpnrun::service
