// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/route.h"

namespace vpnrun::netlink {

/// A network that is in use, and by what.
struct UsedNetwork {
  Prefix network;
  int ifindex = 0;  ///< 0: none
};

/// IPv4 networks that a new link must not overlap: those of all routes and interface addresses,
/// except default routes (the halves 0.0.0.0/1 and 128.0.0.0/1, by which VPN clients write one, are
/// default routes too), multicast and broadcast, and what the interface `ignored_ifindex` (0: none)
/// has itself.
[[nodiscard]] std::vector<UsedNetwork> used_networks(std::span<const Route> routes,
                                                     std::span<const InterfaceAddress> addresses,
                                                     int ignored_ifindex);

/// The first of `used` that `subnet` overlaps.
[[nodiscard]] std::optional<UsedNetwork> find_conflict(const Prefix& subnet,
                                                       std::span<const UsedNetwork> used);

/// A free IPv4 /30 for the link of the profile `name`: the same one each time for the same name as
/// long as it is free. nullopt: every pool is taken.
[[nodiscard]] std::optional<Prefix> pick_subnet(std::span<const UsedNetwork> used,
                                                std::string_view name);

/// The two ends of a /30: its first usable address for the host, its second for the namespace.
[[nodiscard]] IpAddress host_end(const Prefix& subnet) noexcept;
[[nodiscard]] IpAddress namespace_end(const Prefix& subnet) noexcept;

}  // namespace vpnrun::netlink
