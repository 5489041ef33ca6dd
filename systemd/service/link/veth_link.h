// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/host_table.h"
#include "systemd/service/link/legacy_firewall.h"
#include "systemd/service/link/legacy_tables.h"
#include "systemd/service/link/link.h"
#include "systemd/service/link/outer_watch.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// A veth pair between an outer namespace and the profile's, with its filter and NAT in the outer
/// one, forwarding, and inside, for the client alone (client_table.h), host routes to the
/// endpoints. The outer one is the machine's own, or any other that can reach the servers.
///
/// The outer end is called vr-NAME, shortened to the kernel's 15 bytes, or something similar if
/// there already is a link of that name: no link but the profile's own is ever touched. Its alias
/// (ip-link(8)) names the profile.
///
/// Destroying it undoes all of this. What a killed companion left is replaced.
class VethLink final : public Link {
 public:
  /// Both namespaces must outlive this object; the monitors of `outer` have no other reader. Throws
  /// Error, with nothing left behind.
  VethLink(EventLoop& loop, const profile::Profile& profile, Netns& outer, Netns& inside,
           LinkEvents events);
  VethLink(const VethLink&) = delete;
  VethLink& operator=(const VethLink&) = delete;
  VethLink(VethLink&&) = delete;
  VethLink& operator=(VethLink&&) = delete;
  ~VethLink() override;

  [[nodiscard]] std::optional<UnusableAddress> check(const IpAddress& address) override;
  /// Throws Error also if the outer namespace routes to one of them by another interface than the
  /// profile's [link] uplink, or to the link's own subnet by another interface.
  void open(const std::vector<Endpoint>& endpoints) override;
  void settled() override;
  [[nodiscard]] PortalSigns portal_signs() override;
  [[nodiscard]] std::optional<LinkAddresses> addresses() const override;

 private:
  /// The interfaces through which the outer namespace routes to the endpoints.
  struct Ways {
    std::vector<std::string> links;  ///< those that have to forward
    std::string forbidden;           ///< one that is not the profile's [link] uplink; empty: none
  };

  void load_filter();
  void make_link();
  void configure_ends();
  [[nodiscard]] bool is_whole();
  void mend_link();
  void set_routes(const std::vector<Endpoint>& endpoints);
  void check_way_in();
  [[nodiscard]] Ways ways_to_endpoints();
  void forward_by(std::vector<std::string> links, bool changed, bool flushed);
  void apply_filter();
  [[nodiscard]] std::string look_around(const OuterNews& news, bool changed);
  void tell_watch();

  void on_news(const OuterNews& news);
  void on_drop(const netlink::PacketDropped& drop);
  void explain(const netlink::PacketDropped& drop);
  void on_rules_changed(const netlink::RulesChanged& changed);
  void tell_blocked(const std::string& place, const Failure& failure);
  [[nodiscard]] bool may_open_foreign() noexcept;
  void stop_tracing();

  [[nodiscard]] std::vector<LegacyWay> legacy_ways();
  void watch_legacy();
  void look_at_legacy_later(EventLoop::Clock::duration last_took);
  void look_at_legacy();
  void explain(const LegacyDrop& drop);

  EventLoop& loop_;
  std::string profile_name_;
  profile::Firewall firewall_;
  Netns& outer_;
  Netns& inside_;
  LinkEvents events_;
  filter::HostTable table_;
  filter::HostFilter filter_;
  std::vector<Endpoint> routed_;   ///< inside there are routes to these addresses
  bool fixed_subnet_ = false;      ///< the profile names it
  std::vector<std::string> ways_;  ///< interfaces that forward for us, as far as is known
  bool loaded_ = false;            ///< filter_ is what the kernel has, and the routes are set
  bool applied_ = false;           ///< the kernel has filter_; otherwise a guard may be missing
  bool extras_applied_ = false;    ///< the kernel has the optional rules (ARP, flow limit)
  int outer_index_ = 0;
  int inner_index_ = 0;
  netlink::MacAddress outer_mac_{};
  netlink::MacAddress inner_mac_{};
  /// The chains that have been reported for dropping the client's packets since the last open().
  std::vector<std::string> told_drops_;
  EventLoop::Clock::time_point last_opened_;  ///< a foreign firewall was opened for us
  bool opened_foreign_ = false;               ///< the same, since open()
  EventLoop::Handle mended_;                  ///< somebody has changed what drops them
  EventLoop::Clock::time_point last_mended_;
  KernelLegacyTables legacy_tables_;
  std::unique_ptr<LegacyFirewall> legacy_;  ///< while they are looked at
  bool told_legacy_ = false;                ///< one of them drops the client's packets, as told
  EventLoop::Clock::time_point legacy_since_;
  EventLoop::Handle legacy_look_;
  EventLoop::Handle settle_;
  std::optional<OuterWatch> watch_;
};

/// Undoes what a VethLink of this profile made in `outer`, whether or not its companion is alive.
/// `inside` is the profile's namespace; null: it is gone, or out of reach. Throws Error.
void remove_veth_link(Netns& outer, Netns* inside, const std::string& profile_name);

}  // namespace vpnrun::service
