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
constexpr std::array<Pool, 3> kPools{{
    {0x0ad50000, 16},  // 10.213.0.0/16
    {0xac1d0000, 16},  // 172.29.0.0/16
    {0xc0a8d500, 24},  // 192.168.213.0/24
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

std::optional<Prefix> pick_from(const Pool& pool, std::span<const UsedNetwork> used,
                                std::uint32_t hash) {
  const Prefix whole{IpAddress::from_ipv4(pool.address), pool.length};
  std::vector<UsedNetwork> near;
  std::copy_if(used.begin(), used.end(), std::back_inserter(near),
               [&](const UsedNetwork& other) { return other.network.overlaps(whole); });
  const std::uint32_t count = 1U << (kSubnetLength - pool.length);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t offset = (hash + i) % count * kSubnetSize;
    const Prefix candidate{IpAddress::from_ipv4(pool.address + offset), kSubnetLength};
    if (!find_conflict(candidate, near)) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<UsedNetwork> used_networks(std::span<const Route> routes,
                                       std::span<const InterfaceAddress> addresses,
                                       int ignored_ifindex) {
  std::vector<UsedNetwork> used;
  const auto add = [&](const Prefix& prefix, int ifindex) {
    const bool ours = ifindex != 0 && ifindex == ignored_ifindex;
    if (prefix.address.is_ipv4() && !ours && !is_everywhere(prefix.network())) {
      used.push_back({prefix.network(), ifindex});
    }
  };
  for (const Route& route : routes) {
    add(route.destination, route.ifindex);
  }
  for (const InterfaceAddress& address : addresses) {
    add(address.address, address.ifindex);
    if (address.peer) {
      add({*address.peer, address.address.length}, address.ifindex);
    }
  }
  return used;
}

std::optional<UsedNetwork> find_conflict(const Prefix& subnet, std::span<const UsedNetwork> used) {
  const auto found = std::find_if(used.begin(), used.end(), [&](const UsedNetwork& other) {
    return other.network.overlaps(subnet);
  });
  return found == used.end() ? std::nullopt : std::optional(*found);
}

std::optional<Prefix> pick_subnet(std::span<const UsedNetwork> used, std::string_view name) {
  const std::uint32_t hash = hash_of(name);
  for (const Pool& pool : kPools) {
    if (auto subnet = pick_from(pool, used, hash)) {
      return subnet;
    }
  }
  return std::nullopt;
}

IpAddress host_end(const Prefix& subnet) noexcept {
  return IpAddress::from_ipv4(subnet.network().address.ipv4_value() + 1);
}

IpAddress namespace_end(const Prefix& subnet) noexcept {
  return IpAddress::from_ipv4(subnet.network().address.ipv4_value() + 2);
}

}  // namespace vpnrun::netlink
