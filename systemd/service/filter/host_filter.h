// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/profile.h"
#include "systemd/service/filter/inside_filter.h"

namespace vpnrun::filter {

/// Every host end of ours begins with this.
constexpr const char* kHostLinkPrefix = "vr-";

/// The one table of all profiles on the host: its rules in family inet, its companion in family
/// arp. Not what the table inside a namespace is called (kInsideTable): a link may end in one.
constexpr const char* kHostTable = "vpnrun_links";

/// What vpnrun 0.1.0 had for each profile, in the families inet, arp and ip: "vpnrun-NAME".
[[nodiscard]] std::string former_host_table(std::string_view profile_name);

/// Whether a table of the host is ours, or of a companion of vpnrun 0.1.0.
[[nodiscard]] bool is_host_table(std::string_view table);

/// What the host forwards for one profile. Nothing here ever drops a packet that neither comes from
/// nor goes to our link, but for `guarded_uplinks`.
struct HostFilter {
  std::string profile_name;
  std::string link;  ///< host end of the veth, "vr-…"
  LinkEnds addresses;
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

/// Elements of the table's sets and maps, each as "FAMILY SET ELEMENT". Several profiles may have
/// the same one, if none of them is the key of a link.
using HostElements = std::set<std::string>;

/// Those of one profile. Pure. Throws Error if an endpoint or address is not IPv4, or a name does
/// not fit an interface.
[[nodiscard]] HostElements host_elements(const HostFilter& filter);

/// What the other profiles have in the table, and what this one may have in it.
struct HostRest {
  HostElements others;
  HostElements former;
  /// Nobody has anything in it: what is there all the same (a ruleset that was saved and loaded
  /// again) is nobody's, and is replaced.
  bool fresh = true;
};

/// One nftables transaction that makes the table, or changes it: of this profile what `filter` says
/// and nothing else, of the others all that they have; the guard is that of `filter`. The cost of a
/// packet that has nothing to do with a link does not depend on how many profiles there are. Pure.
/// Throws Error as host_elements() does.
[[nodiscard]] std::string host_ruleset(const HostFilter& filter, const HostRest& rest);

/// One that takes the profile out; the guard is what is named, as in HostFilter. Pure. Throws Error
/// for a name that does not fit an interface.
[[nodiscard]] std::string host_removal(const std::string& profile_name, const HostRest& rest,
                                       const std::vector<std::string>& guarded_uplinks,
                                       const std::vector<std::string>& guarded_bridges);

/// The same for ARP: the machine answers for each of its addresses on each of its links
/// (arp_ignore, ip-sysctl.rst), and would tell the neighbours our end of the link. A transaction of
/// its own, since a kernel may be without this family.
[[nodiscard]] std::string host_arp_ruleset(const HostElements& wanted, const HostRest& rest);

/// By what the flows of one link are limited. kCount: by how many there are. kRate, for a kernel
/// without nft_connlimit: by how many begin in a while, which only makes it slower.
enum class FlowLimit : std::uint8_t { kCount, kRate };

/// Keeps a client that its server has taken over from filling the machine's connection table, which
/// is everybody's: what would begin another flow is dropped. A client begins one a second at most.
/// For a table that host_ruleset() has made. A transaction of its own, which nothing else repeats:
/// a limit that is replaced forgets what it has counted, and a kernel may be without one of the
/// two.
[[nodiscard]] std::string host_flow_ruleset(const HostFilter& filter, FlowLimit limit);

}  // namespace vpnrun::filter
