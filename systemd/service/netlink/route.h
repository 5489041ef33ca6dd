// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::netlink {

/// One route. Constants are those of linux/rtnetlink.h.
struct Route {
  Prefix destination;  ///< host bits are cleared before it is used
  int ifindex = 0;     ///< of the (first) next hop; 0: none (blackhole, …)
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> preferred_source;
  std::uint32_t metric = 0;  ///< 0: the kernel's default (IPv6: 1024)
  std::uint32_t table = RT_TABLE_MAIN;
  std::uint8_t type = RTN_UNICAST;
  /// RT_SCOPE_…; nullopt: link without a gateway, universe with one.
  std::optional<std::uint8_t> scope;

  [[nodiscard]] bool is_default() const noexcept { return destination.length == 0; }
  friend bool operator==(const Route&, const Route&) = default;
};

/// Adds it, or replaces the one with the same destination, metric and table.
void replace_route(Socket& socket, const Route& route);
/// Matches destination, metric, table, and ifindex and gateway where set. false: there is none.
[[nodiscard]] bool delete_route(Socket& socket, const Route& route);

/// IPv6's counterpart of net.ipv4.conf.*.route_localnet: packets that NAT gives the destination ::1
/// after they came in on `ifindex` are delivered. (The kernel takes ::1 for a strict destination
/// and finds the route on lo only from lo.) Packets that arrive with that address are still
/// dropped. Goes with the interface, or when that loses its last IPv6 address: set it after the
/// addresses.
void allow_ipv6_loopback(Socket& socket, int ifindex);

/// All tables (also local and those of policy rules), both families; without cached clones.
[[nodiscard]] std::vector<Route> list_routes(Socket& socket);

/// How the kernel would send a packet of this machine to a destination now, policy rules included.
struct RouteAnswer {
  int ifindex = 0;
  std::optional<IpAddress> preferred_source;
  std::optional<IpAddress> gateway;
  /// RTN_UNICAST, or RTN_LOCAL (the machine's own; the interface is then the loopback device),
  /// RTN_BROADCAST, RTN_MULTICAST, RTN_ANYCAST.
  std::uint8_t type = RTN_UNICAST;
};

/// nullopt: there is no way there (ENETUNREACH, EHOSTUNREACH, blackhole, prohibit).
[[nodiscard]] std::optional<RouteAnswer> route_get(Socket& socket, const IpAddress& destination);

}  // namespace vpnrun::netlink
