// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/link/legacy_table.h"
#include "systemd/service/link/legacy_tables.h"

namespace vpnrun::service {

/// How the client's packets get to one endpoint.
struct LegacyWay {
  Endpoint endpoint;
  std::string uplink;
  bool is_local = false;  ///< the endpoint is the machine itself
};

/// What the kernel's old tables (Docker's or the administrator's iptables-legacy) drop of the
/// client's packets. There is no event for that, as nftables has one: the tables are looked at, and
/// a rule that would drop the packets and has dropped some is the reason.
class LegacyFirewall {
 public:
  /// For the end `link` of `profile_name`'s link, whose packets come from `ns_address`. `tables` is
  /// borrowed.
  LegacyFirewall(LegacyTables& tables, std::string profile_name, std::string link,
                 const IpAddress& ns_address);

  /// An attempt begins, by these ways. Returns Seen::is_closed. Throws Error.
  bool begin(std::vector<LegacyWay> ways);

  struct Seen {
    /// It has dropped packets since begin().
    std::optional<LegacyDrop> drop;
    /// There is a rule that drops the client's packets, whether or not it has yet.
    bool is_closed = false;
  };
  /// Throws Error.
  [[nodiscard]] Seen look();

  /// What to tell people: the chain, and the commands that open it for this link only. `obstacle`:
  /// why open() could not; empty: it was not asked to.
  [[nodiscard]] Failure explain(const LegacyDrop& drop, const std::string& obstacle) const;

  /// Lets what comes from and goes to the link pass, in the chain that its owner means for that
  /// (DOCKER-USER, ufw-user-forward), or at the head of the one that drops. What was put into that
  /// table before is replaced; no other rule is changed. Returns the chain for the log. Throws
  /// Error, also if that does not open it; the table is as it was then.
  std::string open(const LegacyDrop& drop);

 private:
  /// The tables' size and the packets that each entry had taken.
  struct Count {
    std::size_t size = 0;
    std::map<std::uint32_t, std::uint64_t> packets;
  };

  [[nodiscard]] std::vector<LegacyProbe> probes(const std::string& table) const;
  [[nodiscard]] std::vector<LegacyDrop> drops_in(const LegacyTable& table) const;
  [[nodiscard]] bool opens(const LegacyEdit& edit, const LegacyDrop& drop) const;
  [[nodiscard]] static std::vector<std::string> places_for(const LegacyDrop& drop);

  LegacyTables& tables_;
  std::string profile_name_;
  std::string link_;
  IpAddress ns_address_;
  std::vector<LegacyWay> ways_;
  std::map<std::string, Count> counts_;  ///< by table, at begin()
};

/// Takes back what open() of any companion of this profile put into the tables. Throws Error.
void close_legacy_firewall(LegacyTables& tables, const std::string& profile_name);

}  // namespace vpnrun::service
