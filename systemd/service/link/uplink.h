// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/link/endpoint_check.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// Name of the host end of a profile's veth, at most 15 bytes, unique for the name.
[[nodiscard]] std::string host_link_name(const std::string& profile_name);

/// The way of the VPN client's own packets to its server: a veth pair between the host and the
/// namespace, its filter and NAT on the host, forwarding, host routes to the endpoints inside.
///
/// There is never a default route over it. Construction makes all of it, closed (no endpoint);
/// destruction undoes it. What a companion that was killed left is replaced.
class Uplink {
 public:
  /// `outer` is where the packets go on, `inside` the profile's; both must outlive this object.
  /// Throws Error, with nothing left behind.
  Uplink(const profile::Profile& profile, Netns& outer, Netns& inside);
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;
  Uplink(Uplink&&) = delete;
  Uplink& operator=(Uplink&&) = delete;
  ~Uplink();

  [[nodiscard]] const filter::UplinkAddresses& addresses() const noexcept {
    return filter_.addresses;
  }

  /// Host end of the link.
  [[nodiscard]] const std::string& link() const noexcept { return filter_.link; }
  [[nodiscard]] int link_index() const noexcept { return outside_index_; }

  /// Why no server can be reached there by this link; nullopt: one can. Throws Error.
  [[nodiscard]] std::optional<UnusableAddress> check(const IpAddress& address);

  /// Opens the host side for exactly these and routes to them; the endpoints before are closed.
  /// What the machine's firewall does with their packets is traced until settled() is called.
  /// Throws Error, also if the machine routes to none of them by the profile's [link] uplink.
  void set_endpoints(const std::vector<Endpoint>& endpoints);

  /// The tunnel works: nothing needs to be traced.
  void settled();

  /// To be called when routes, links, addresses or forwarding of the host changed: has the
  /// interfaces that lead to the endpoints forward, and puts link and filter back if somebody
  /// changed them. link_index() may be another one afterwards.
  void follow_host();

 private:
  void guard_recorded();
  void make_link();
  void configure_ends();
  void apply_filter();
  [[nodiscard]] bool is_whole();
  void mend_link();
  void set_routes(const std::vector<Endpoint>& endpoints);
  [[nodiscard]] std::string follow(bool changed);
  [[nodiscard]] std::vector<std::string> bridges_of(const std::vector<std::string>& links);

  std::string profile_name_;
  Netns& outer_;
  Netns& inside_;
  filter::HostFilter filter_;
  std::vector<Endpoint> routed_;  ///< inside, to these addresses
  bool loaded_ = false;           ///< filter_ is what the kernel has, and the routes are set
  bool applied_ = false;          ///< the kernel has filter_: else a guard may be missing
  bool extras_applied_ = false;   ///< what stands in tables of other families
  int outside_index_ = 0;
  netlink::MacAddress outside_mac_{};
  netlink::MacAddress inside_mac_{};
  int inside_index_ = 0;
};

/// Undoes what an Uplink of this profile made in `outer`, whether its companion lives or not.
/// Throws Error.
void remove_uplink(Netns& outer, const std::string& profile_name);

}  // namespace vpnrun::service
