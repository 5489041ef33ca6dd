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

/// The name of each host end of ours begins with this.
constexpr const char* kHostLinkPrefix = "vr-";

/// The one table of all profiles on the host: its rules are in family inet, and a second table of
/// this name is in family arp. Not the name of the table inside a namespace (kInsideTable): a
/// link's outer end may be in one.
constexpr const char* kHostTable = "vpnrun_links";

/// What vpnrun 0.1.0 had for each profile, in the families inet, arp and ip: "vpnrun-NAME".
[[nodiscard]] std::string former_host_table(std::string_view profile_name);

/// Whether a table of the host is ours, or belongs to a companion of vpnrun 0.1.0.
[[nodiscard]] bool is_host_table(std::string_view table);

/// What the host forwards for one profile. Except for `guarded_uplinks`, nothing here ever drops a
/// packet that neither comes from nor goes to our link.
struct HostFilter {
  std::string profile_name;
  std::string link;  ///< host end of the veth, "vr-…"
  LinkEnds addresses;
  std::vector<Endpoint> endpoints;
  std::vector<profile::Port> expose;
  /// Interfaces on which forwarding is on only because we turned it on: what comes in there is
  /// forwarded to our links only, as if it were still off. Answers to others' connections that the
  /// machine has let out do pass: only somebody else's forwarding makes such connections.
  std::vector<std::string> guarded_uplinks;
  /// Those of them that are bridges. With br_netfilter the frames that they carry between their
  /// ports pass these chains too, and look as if the machine forwarded them.
  std::vector<std::string> guarded_bridges;
  /// The only interface through which packets may leave; empty: any.
  std::string uplink;
  /// Has the kernel report what becomes of packets to and from the endpoints (nft(8), "nftrace").
  /// It costs every filtered packet of the machine a little, so not for longer than needed.
  bool traced = false;
};

/// Elements of the table's sets and maps, each as "FAMILY SET ELEMENT". Several profiles may have
/// the same element, unless it has a link as its key.
using HostElements = std::set<std::string>;

/// Those of one profile. Pure. Throws Error if an endpoint or address is not IPv4, or if a name
/// cannot be an interface's.
[[nodiscard]] HostElements host_elements(const HostFilter& filter);

/// What the other profiles have in the table, and what this one may have in it from before.
struct HostRest {
  HostElements others;
  HostElements former;
  /// No profile has anything in it: what is there all the same (a ruleset that was saved and loaded
  /// again) belongs to nobody, and is replaced.
  bool fresh = true;
};

/// One nftables transaction that makes the table or changes it: it then has what `filter` says and
/// nothing else for this profile, and all that the others have; the guard is that of `filter`. The
/// cost of a packet that has nothing to do with a link does not depend on how many profiles there
/// are. Pure. Throws Error as host_elements() does.
[[nodiscard]] std::string host_ruleset(const HostFilter& filter, const HostRest& rest);

/// A transaction that takes the profile out; the guard is as given, see HostFilter. Pure. Throws
/// Error for a name that cannot be an interface's.
[[nodiscard]] std::string host_removal(const std::string& profile_name, const HostRest& rest,
                                       const std::vector<std::string>& guarded_uplinks,
                                       const std::vector<std::string>& guarded_bridges);

/// The same for ARP: the machine answers for each of its addresses on each of its links
/// (arp_ignore, ip-sysctl.rst), and would tell the neighbours our end of the link. A transaction of
/// its own, since a kernel may lack this family.
[[nodiscard]] std::string host_arp_ruleset(const HostElements& wanted, const HostRest& rest);

/// How the flows of one link are limited. kCount: by how many there are. kRate, for a kernel
/// without nft_connlimit: by how many begin per second, which only slows a flood down.
enum class FlowLimit : std::uint8_t { kCount, kRate };

/// Keeps a client that its server has taken over from filling the machine's connection table, which
/// everybody shares: what would begin another flow is dropped. A normal client begins one a second
/// at most. For a table that host_ruleset() has made. A transaction of its own, which is not
/// repeated with the others: a limit that is replaced forgets what it has counted, and a kernel may
/// lack one of the two.
[[nodiscard]] std::string host_flow_ruleset(const HostFilter& filter, FlowLimit limit);

}  // namespace vpnrun::filter
