// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/client/openvpn/management.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// The profile's network namespace as the companion works on it: the tunnel device, its addresses
/// and default route, and the filter.
class InsideNetwork {
 public:
  /// The filter is brought to the sealed state, and a default route that a killed companion left is
  /// taken out. `inside` must outlive this object. Throws Error.
  InsideNetwork(const profile::Profile& profile, Netns& inside, uid_t client_uid);
  InsideNetwork(const InsideNetwork&) = delete;
  InsideNetwork& operator=(const InsideNetwork&) = delete;
  InsideNetwork(InsideNetwork&&) = delete;
  InsideNetwork& operator=(InsideNetwork&&) = delete;
  /// Offline and sealed; applications stay where they are. The tunnel device is removed.
  ~InsideNetwork();

  /// A persistent tun device that the client's user may attach to. One that is there already is
  /// kept, so that connections of running applications can go on. Throws Error with a hint.
  void make_device();
  [[nodiscard]] int device_index() const noexcept { return device_index_; }
  /// Whether a client is attached to the device at this moment (its carrier). False as well if that
  /// cannot be found out.
  [[nodiscard]] bool has_carrier() noexcept;

  /// Opens the veth for the client's packets to exactly these; none closes it.
  void set_endpoints(const std::optional<filter::LinkEnds>& link,
                     const std::vector<Endpoint>& endpoints);

  /// Addresses, MTU, resolvers and, last, the default route. Throws Error; the route is out then.
  void bring_up(const TunnelSettings& settings, const std::vector<IpAddress>& dns_servers);

  /// Takes the default route out, at once. What else there is stays for the reconnect.
  void take_down() noexcept;

 private:
  void apply_filter();

  Netns& inside_;
  bool loaded_ = false;  ///< filter_ is what the kernel has
  filter::InsideFilter filter_;
  int device_index_ = 0;
  std::optional<netlink::DefaultRoute> any_default_;  ///< both families, for taking out
};

}  // namespace vpnrun::service
