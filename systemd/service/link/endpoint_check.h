// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/route.h"

namespace vpnrun::service {

/// Why no VPN server can be reached at an address over a link, and what to do.
struct UnusableAddress {
  std::string reason;            ///< begins with the address
  std::string hint;              ///< empty: none is known
  bool resolvers_block = false;  ///< DNS filters give this answer for a name that they block
  bool forever = true;           ///< false: the machine's network may change
};

/// Checks what does not depend on any network: "this network" (above all 0.0.0.0, the answer of
/// blocking resolvers), loopback, multicast, reserved addresses and broadcast (RFC 6890); IPv6,
/// which the link does not carry. Link-local and private addresses may be a server's. Pure.
[[nodiscard]] std::optional<UnusableAddress> check_address(const IpAddress& address);

/// The same, and also checks the address against this machine's network: `way` is the machine's
/// route there (nullopt: none, which may change and is not judged here), `link` the host's end of
/// the profile's own link with its prefix, `links` those of all profiles.
///
/// An address of the machine itself is usable: a relay may listen there, and the veth delivers to
/// it. So is the host's address on the profile's own link; nothing else in a link's network is.
/// Pure.
[[nodiscard]] std::optional<UnusableAddress> check_address_here(
    const IpAddress& address, const std::optional<netlink::RouteAnswer>& way, const Prefix& link,
    std::span<const Prefix> links);

}  // namespace vpnrun::service
