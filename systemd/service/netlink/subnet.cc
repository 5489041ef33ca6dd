// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/subnet.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vpnrun::netlink {
namespace {

constexpr std::uint8_t kSubnetLength = 30;
constexpr std::uint32_t kSubnetSize = 4;

struct Pool {
  std::uint32_t address;
  std::uint8_t length;
};

/// Private networks in parts that home routers, containers and company networks seldom use.
constexpr std::array<Pool, 3> kPrivatePools{{
    {0x0ad50000, 16},  // 10.213.0.0/16
    {0xac1d0000, 16},  // 172.29.0.0/16
    {0xc0a8d500, 24},  // 192.168.213.0/24
}};
/// Nobody's host is there. (Not its other half, where some proxies make up addresses, and not
/// 100.64.0.0/10, where providers and overlay networks give addresses to machines.)
constexpr std::array<Pool, 1> kOtherPools{{
    {0xc6130000, 16},  // 198.19.0.0/16
}};

/// FNV-1a: the same value on every machine and in every version.
std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 0x811c9dc5;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
  }
  return hash;
}

/// Not in the way of a link: the default route, also in halves, multicast and broadcast.
bool is_everywhere(const Prefix& network) {
  constexpr std::uint32_t kMulticast = 0xe0000000;
  return network.length <= 1 || network.address.ipv4_value() >= kMulticast;
}

/// Whether a link may be inside of `other`, which is wider.
enum class Below : std::uint8_t { kNothing, kRoutes };

bool is_in_the_way(const UsedNetwork& other, const Prefix& candidate, Below below) {
  const bool wider = other.network.length < candidate.length;
  return other.network.overlaps(candidate) &&
         !(wider && below == Below::kRoutes && other.kind == UsedNetwork::Kind::kRoute);
}

std::optional<Prefix> pick_from(const Pool& pool, std::span<const UsedNetwork> used,
                                std::uint32_t hash, Below below) {
  const Prefix whole{IpAddress::from_ipv4(pool.address), pool.length};
  std::vector<UsedNetwork> near;
  std::copy_if(used.begin(), used.end(), std::back_inserter(near),
               [&](const UsedNetwork& other) { return other.network.overlaps(whole); });
  const std::uint32_t count = 1U << (kSubnetLength - pool.length);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t offset = (hash + i) % count * kSubnetSize;
    const Prefix candidate{IpAddress::from_ipv4(pool.address + offset), kSubnetLength};
    if (std::none_of(near.begin(), near.end(), [&](const UsedNetwork& other) {
          return is_in_the_way(other, candidate, below);
        })) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<Prefix> pick_from(std::span<const Pool> pools, std::span<const UsedNetwork> used,
                                std::uint32_t hash, Below below) {
  for (const Pool& pool : pools) {
    if (auto subnet = pick_from(pool, used, hash, below)) {
      return subnet;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<UsedNetwork> used_networks(std::span<const Route> routes,
                                       std::span<const InterfaceAddress> addresses,
                                       int ignored_ifindex) {
  using Kind = UsedNetwork::Kind;
  std::vector<UsedNetwork> used;
  const auto add = [&](const Prefix& prefix, int ifindex, Kind kind) {
    const bool ours = ifindex != 0 && ifindex == ignored_ifindex;
    if (prefix.address.is_ipv4() && !ours && !is_everywhere(prefix.network())) {
      used.push_back({prefix.network(), ifindex, kind});
    }
  };
  // The kernel makes a route for the network of an address: it counts as what it is.
  for (const InterfaceAddress& address : addresses) {
    const IpAddress& far = address.peer ? *address.peer : address.address.address;
    add({far, address.address.length}, address.ifindex, Kind::kNeighbors);
    add(Prefix::host(address.address.address), address.ifindex, Kind::kAddress);
    add(Prefix::host(far), address.ifindex, Kind::kAddress);
  }
  for (const Route& route : routes) {
    const bool usual = route.table == RT_TABLE_MAIN || route.table == RT_TABLE_LOCAL;
    add(route.destination, route.ifindex, usual ? Kind::kRoute : Kind::kPolicy);
    if (route.gateway) {
      add(Prefix::host(*route.gateway), route.ifindex, Kind::kAddress);
    }
  }
  return used;
}

std::optional<UsedNetwork> find_conflict(const Prefix& subnet, std::span<const UsedNetwork> used) {
  const auto found = std::find_if(used.begin(), used.end(), [&](const UsedNetwork& other) {
    return other.network.overlaps(subnet) && other.network.length >= subnet.length;
  });
  return found == used.end() ? std::nullopt : std::optional(*found);
}

std::optional<Prefix> pick_subnet(std::span<const UsedNetwork> used, std::string_view name) {
  const std::uint32_t hash = hash_of(name);
  auto subnet = pick_from(kPrivatePools, used, hash, Below::kNothing);
  if (!subnet) {
    subnet = pick_from(kOtherPools, used, hash, Below::kNothing);
  }
  return subnet ? subnet : pick_from(kPrivatePools, used, hash, Below::kRoutes);
}

IpAddress host_end(const Prefix& subnet) noexcept {
  return IpAddress::from_ipv4(subnet.network().address.ipv4_value() + 1);
}

IpAddress namespace_end(const Prefix& subnet) noexcept {
  return IpAddress::from_ipv4(subnet.network().address.ipv4_value() + 2);
}

}  // namespace vpnrun::netlink
