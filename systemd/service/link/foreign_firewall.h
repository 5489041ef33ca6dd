// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "systemd/service/client/failure.h"
#include "systemd/service/netlink/filter_monitor.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// The machine's own firewall (Docker, ufw, firewalld, the administrator's): an accept in our table
/// does not override a drop in another (nft(8)). So the chain that drops our packets is reported,
/// and opened if the profile asks for that ([link] firewall = "integrate").
class ForeignFirewall {
 public:
  /// `link` is the end of the profile's link in `outer`, which must outlive this object.
  ForeignFirewall(Netns& outer, std::string profile_name, std::string link);
  ForeignFirewall(const ForeignFirewall&) = delete;
  ForeignFirewall& operator=(const ForeignFirewall&) = delete;
  ForeignFirewall(ForeignFirewall&&) = delete;
  ForeignFirewall& operator=(ForeignFirewall&&) = delete;
  ~ForeignFirewall() = default;

  /// What to tell a person: the name of the chain, and the commands that open it for this link
  /// only.
  [[nodiscard]] Failure explain(const netlink::PacketDropped& drop);

  /// Inserts two rules that accept what comes from and goes to the link, where the owner of the
  /// chain wants such rules (DOCKER-USER, ufw-user-forward) or at the head of the chain itself.
  /// Rules that it inserted in that chain before are replaced. Returns the chain for the log.
  /// Throws Error.
  std::string open(const netlink::PacketDropped& drop);

 private:
  struct Chain {
    std::string family;
    std::string table;
    std::string name;
    [[nodiscard]] std::string text() const { return family + ' ' + table + ' ' + name; }
  };
  /// The chain in which the firewall's owner expects rules of others; the dropping one if there is
  /// none.
  [[nodiscard]] Chain place_for(const netlink::PacketDropped& drop);

  Netns& outer_;
  std::string profile_name_;
  std::string link_;
};

/// Removes the rules that open() of any companion of this profile inserted in `outer`. A chain that
/// its owner has made again since then has none of them. Throws Error.
void close_foreign_firewalls(Netns& outer, const std::string& profile_name);

}  // namespace vpnrun::service
