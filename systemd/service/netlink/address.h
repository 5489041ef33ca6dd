// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::netlink {

/// One address of one interface.
struct InterfaceAddress {
  int ifindex = 0;
  Prefix address;                 ///< the local address; host bits kept
  std::optional<IpAddress> peer;  ///< of a point-to-point link; same family
  /// No new connection gets it as its own by itself: an address of IPv4 with the scope of the
  /// machine, a deprecated one of IPv6.
  bool retired = false;

  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// Adds it. An IPv6 address is usable at once: no duplicate address detection (IFA_F_NODAD).
/// false: the interface has it already.
[[nodiscard]] bool add_address(Socket& socket, const InterfaceAddress& address);
/// false: the interface does not have it.
[[nodiscard]] bool delete_address(Socket& socket, const InterfaceAddress& address);

/// Makes `addresses` (their ifindex is ignored) the only ones of the interface, except for an IPv6
/// link-local one that the kernel made: adds what is missing first, then removes the rest (an
/// address of IPv6 of which only the rest changes goes first). An address that stays is not
/// touched, so that connections bound to it live on.
void set_addresses(Socket& socket, int ifindex, const std::vector<InterfaceAddress>& addresses);
/// Removes all, link-local ones included.
void flush_addresses(Socket& socket, int ifindex);

/// Of all interfaces, both families.
[[nodiscard]] std::vector<InterfaceAddress> list_addresses(Socket& socket);

/// Adds or replaces a permanent neighbour entry.
void set_neighbour(Socket& socket, int ifindex, const IpAddress& address, const MacAddress& mac);

}  // namespace vpnrun::netlink
