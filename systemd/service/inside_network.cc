// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/inside_network.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/tun.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::milliseconds kPatience{2'000};
constexpr std::chrono::milliseconds kPause{10};

void set_device_sysctl(const Netns& inside, const char* format, const char* value) {
  const std::string name = fmt::format(fmt::runtime(format), filter::kTunnelDevice);
  const int error = inside.write_sysctl(name, value);
  if (error != 0 && error != ENOENT) {  // ENOENT: this kernel has no IPv6
    throw_error(error, "cannot set '{}'", name);
  }
}

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

/// The client of a companion that was killed dies with it, but lets go of the device some
/// milliseconds later, once its mount namespace is taken down.
void make_tun(uid_t owner) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    try {
      (void)netlink::create_tun(filter::kTunnelDevice, owner);
      return;
    } catch (const Error& error) {
      if (error.code() != std::errc::device_or_resource_busy ||
          std::chrono::steady_clock::now() > deadline) {
        throw;
      }
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

InsideNetwork::InsideNetwork(const profile::Profile& profile, Netns& inside, uid_t client_uid)
    : inside_(inside) {
  filter_.client_uid = client_uid;
  filter_.capture = profile.dns.capture;
  filter_.expose = profile.ports.expose;
  filter_.inbound = profile.ports.inbound;
  apply_filter();
  if (const auto stale = netlink::find_link(inside_.socket(), filter::kTunnelDevice)) {
    inside_.run(
        [&stale] { (void)netlink::DefaultRoute(stale->index, netlink::Families::kBoth).remove(); });
  }
}

InsideNetwork::~InsideNetwork() {
  take_down();
  try {
    filter_.link.reset();
    filter_.endpoints.clear();
    apply_filter();
    (void)netlink::delete_link(inside_.socket(), filter::kTunnelDevice);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

void InsideNetwork::make_device() {
  inside_.run([this] { make_tun(filter_.client_uid); });
  const auto link = netlink::find_link(inside_.socket(), filter::kTunnelDevice);
  if (!link) {
    throw_error(ENODEV, "cannot set up '{}'", filter::kTunnelDevice);
  }
  device_index_ = link->index;
  inside_.run([this] { any_default_.emplace(device_index_, netlink::Families::kBoth); });
  // Queries to 127.0.0.53 that the filter sends into the tunnel come back to a loopback address.
  set_device_sysctl(inside_, "net/ipv4/conf/{}/route_localnet", "1");
  // When the server assigns another address of the same network, the old one is taken away and the
  // new one, until then a secondary, has to stay.
  set_device_sysctl(inside_, "net/ipv4/conf/{}/promote_secondaries", "1");
  // Nothing that the server sends configures us: no router advertisements, no link-local address.
  set_device_sysctl(inside_, "net/ipv6/conf/{}/accept_ra", "0");
  set_device_sysctl(inside_, "net/ipv6/conf/{}/addr_gen_mode", "1");
}

void InsideNetwork::set_endpoints(const std::optional<filter::LinkEnds>& link,
                                  const std::vector<Endpoint>& endpoints) {
  if (loaded_ && filter_.link == link && filter_.endpoints == endpoints) {
    return;
  }
  filter_.link = link;
  filter_.endpoints = endpoints;
  apply_filter();
}

void InsideNetwork::bring_up(const TunnelSettings& settings,
                             const std::vector<IpAddress>& dns_servers) {
  std::vector<netlink::InterfaceAddress> addresses;
  std::vector<IpAddress> plain;
  for (const Prefix& prefix : settings.addresses) {
    addresses.push_back({0, prefix, std::nullopt});
    plain.push_back(prefix.address);
  }
  netlink::LinkChange change;
  change.up = true;
  if (settings.mtu != 0) {
    change.mtu = settings.mtu;
  }
  if (!netlink::change_link(inside_.socket(), device_index_, change)) {
    throw_error(ENODEV, "cannot set up '{}'", filter::kTunnelDevice);
  }
  // The filter before the addresses: it drops what comes in for any other.
  if (!loaded_ || filter_.tunnel_addresses != plain || filter_.dns_servers != dns_servers) {
    filter_.tunnel_addresses = plain;
    filter_.dns_servers = dns_servers;
    apply_filter();
  }
  netlink::set_addresses(inside_.socket(), device_index_, addresses);
  if (families_of(plain) != netlink::Families::kIpv4) {
    netlink::allow_ipv6_loopback(inside_.socket(), device_index_);
  }
  inside_.run(
      [this, &plain] { netlink::DefaultRoute(device_index_, families_of(plain)).install(); });
}

bool InsideNetwork::has_carrier() noexcept {
  try {
    const auto device = netlink::find_link(inside_.socket(), device_index_);
    return device && device->carrier;
  } catch (const std::exception&) {
    return false;
  }
}

void InsideNetwork::take_down() noexcept {
  if (any_default_) {
    // An error leaves a route that leads to a device without carrier: it counts as absent.
    (void)any_default_->remove();
  }
}

void InsideNetwork::apply_filter() {
  loaded_ = false;
  inside_.nft().apply(filter::inside_ruleset(filter_));
  loaded_ = true;
}

}  // namespace vpnrun::service
