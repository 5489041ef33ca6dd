// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "profiles/profile.h"

namespace vpnrun::filter {

/// Table of the rules inside a profile's namespace, family inet.
constexpr const char* kInsideTable = "vpnrun";
constexpr const char* kTunnelDevice = "tun0";
/// The inner end of a link. (People and their scripts know it by this name.)
constexpr const char* kLinkDevice = "uplink";

/// The addresses of a link's two ends; IPv4.
struct LinkEnds {
  IpAddress ns_address;
  IpAddress host_address;
  friend bool operator==(const LinkEnds&, const LinkEnds&) = default;
};

/// What the filter inside a namespace lets through. A default one is the seal of a new namespace:
/// loopback and the tunnel device, nothing else.
struct InsideFilter {
  std::uint32_t client_uid = 0;             ///< owner of the VPN client's sockets
  std::optional<LinkEnds> link;             ///< nullopt: nothing passes the veth
  std::vector<Endpoint> endpoints;          ///< what the client may talk to over the veth
  std::vector<IpAddress> tunnel_addresses;  ///< of the tunnel device; may be empty
  /// The tunnel had them before: what a connection still sends from there is refused, with an
  /// answer that ends it.
  std::vector<IpAddress> retired_addresses;
  /// Resolvers in the tunnel. The first of each family gets the captured queries; see
  /// `next_resolver`. Empty with `capture`: port 53 is refused to everything.
  std::vector<IpAddress> dns_servers;
  bool capture = true;  ///< port 53 to any address goes to dns_servers
  /// Of several resolvers of a family, captured queries go to the first that has not been silent:
  /// one that has answered nothing for two seconds after a captured query is passed over for a
  /// minute from that query on, unless it answers anybody meanwhile. The kernel alone does that
  /// (nft_dynset with deletion, Linux 5.4; NF_CONNTRACK_TIMEOUT); one that cannot refuses the
  /// rules.
  bool next_resolver = true;
  std::vector<profile::Port> expose;   ///< host → application over the veth
  std::vector<profile::Port> inbound;  ///< tunnel → application
};

/// One nftables transaction that makes the whole table, or replaces it. Pure. Throws Error if an
/// endpoint or a link's address is not IPv4.
[[nodiscard]] std::string inside_ruleset(const InsideFilter& filter);

/// The seal of a namespace that has just been made: the rules of a default InsideFilter. Several
/// milliseconds cheaper than replacing a table that is not there; fails if there is one.
[[nodiscard]] std::string seal_ruleset();

}  // namespace vpnrun::filter
