// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/profile.h"
#include "systemd/service/filter/inside_filter.h"

namespace vpnrun::filter {

/// Every host end of ours begins with this.
constexpr const char* kHostLinkPrefix = "vr-";

/// Table of a profile's rules on the host, family inet: "vpnrun-NAME".
[[nodiscard]] std::string host_table(std::string_view profile_name);

/// What the host forwards for one profile. Nothing here ever drops a packet that neither comes from
/// nor goes to our link, but for `guarded_uplinks`.
struct HostFilter {
  std::string profile_name;
  std::string link;  ///< host end of the veth, "vr-…"
  UplinkAddresses addresses;
  std::vector<Endpoint> endpoints;
  std::vector<profile::Port> expose;
  /// Interfaces on which forwarding is on only because we turned it on: what comes in there is
  /// forwarded to our links only, as if it were still off. But answers to connections of others
  /// that the machine has let out pass: only somebody else's forwarding makes such connections.
  std::vector<std::string> guarded_uplinks;
  /// Those of them that are bridges. With br_netfilter the frames that they carry between their
  /// ports pass these chains too, and look as if the machine forwarded them.
  std::vector<std::string> guarded_bridges;
  /// The only interface by which packets may leave; empty: any.
  std::string uplink;
  /// Has the kernel report what becomes of packets to and from the endpoints (nft(8), "nftrace").
  /// It costs every filtered packet of the machine a little, so not for longer than needed.
  bool traced = false;
};

/// One nftables transaction that makes the whole table, or replaces it. Pure. Throws Error if an
/// endpoint or address is not IPv4, or a name does not fit an interface.
[[nodiscard]] std::string host_ruleset(const HostFilter& filter);

/// The same for ARP: the machine answers for each of its addresses on each of its links
/// (arp_ignore, ip-sysctl.rst), and would tell the neighbours our end of the link. A transaction of
/// its own, since a kernel may be without this family.
[[nodiscard]] std::string host_arp_ruleset(const HostFilter& filter);

/// By what the flows of one link are limited. kCount: by how many there are. kRate, for a kernel
/// without nft_connlimit: by how many begin in a while, which only makes it slower.
enum class FlowLimit : std::uint8_t { kCount, kRate };

/// Keeps a client that its server has taken over from filling the machine's connection table, which
/// is everybody's: what would begin another flow is dropped. A client begins one a second at most.
/// Family ip, a table and a transaction of its own: one that is replaced forgets what it has
/// counted, and a kernel may be without one of the two limits.
[[nodiscard]] std::string host_flow_ruleset(const HostFilter& filter, FlowLimit limit);

}  // namespace vpnrun::filter
