// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
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
  enum class Kind : std::uint8_t {
    kAddress,    ///< a single one that the machine needs: its own, a peer's, a gateway's
    kNeighbors,  ///< what an interface reaches without a gateway, by its address
    kRoute,      ///< a route of the main table, to anywhere
    kPolicy      ///< one of another table, which a rule may ask before the main table
  };
  Prefix network;
  int ifindex = 0;  ///< 0: none
  Kind kind = Kind::kRoute;
};

/// The IPv4 networks that a machine uses: those of all routes and interface addresses, except
/// default routes (the halves 0.0.0.0/1 and 128.0.0.0/1, by which VPN clients write one, are
/// default routes too), multicast and broadcast, and what the interface `ignored_ifindex` (0: none)
/// has itself.
[[nodiscard]] std::vector<UsedNetwork> used_networks(std::span<const Route> routes,
                                                     std::span<const InterfaceAddress> addresses,
                                                     int ignored_ifindex);

/// The first of `used` that makes `subnet` unusable for a link: an address in it that the machine
/// needs, or a network that is no wider. (A wider one goes on around it: of two routes the narrower
/// counts.)
[[nodiscard]] std::optional<UsedNetwork> find_conflict(const Prefix& subnet,
                                                       std::span<const UsedNetwork> used);

/// A free IPv4 /30 for the link of the profile `name`: the same one each time for the same name as
/// long as it is free. In this order:
///   1. in private networks (RFC 1918) to which nothing leads;
///   2. in 198.19.0.0/16, half of what RFC 2544 keeps for measurements, if nothing leads there;
///   3. in a private network to which a wider route of the main table leads (a company's VPN that
///      takes all of them): four of its addresses cannot be reached then.
/// Never in the network of an interface. nullopt: there is none.
[[nodiscard]] std::optional<Prefix> pick_subnet(std::span<const UsedNetwork> used,
                                                std::string_view name);

/// The two ends of a /30: its first usable address for the host, its second for the namespace.
[[nodiscard]] IpAddress host_end(const Prefix& subnet) noexcept;
[[nodiscard]] IpAddress namespace_end(const Prefix& subnet) noexcept;

}  // namespace vpnrun::netlink
