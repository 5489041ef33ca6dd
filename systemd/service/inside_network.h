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
#include "systemd/service/filter/nft.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netlink/monitor.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::service {

/// The profile's network namespace as the companion works on it: the tunnel device, its addresses
/// and default route, and the filter. Everything it opens stays in that namespace; the calling
/// thread does not.
class InsideNetwork {
 public:
  /// The filter is brought to the sealed state, and a default route that a killed companion left is
  /// taken out. Throws Error.
  InsideNetwork(const profile::Profile& profile, int netns_fd, uid_t client_uid);
  InsideNetwork(const InsideNetwork&) = delete;
  InsideNetwork& operator=(const InsideNetwork&) = delete;
  InsideNetwork(InsideNetwork&&) = delete;
  InsideNetwork& operator=(InsideNetwork&&) = delete;
  /// Offline and sealed; applications stay where they are. The tunnel device is removed.
  ~InsideNetwork();

  [[nodiscard]] netlink::Socket& socket() noexcept { return handles_->socket; }
  [[nodiscard]] netlink::Monitor& monitor() noexcept { return handles_->monitor; }

  /// A persistent tun device that the client's user may attach to. One that is there already is
  /// kept, so that connections of running applications can go on. Throws Error with a hint.
  void make_device();
  [[nodiscard]] int device_index() const noexcept { return device_index_; }
  /// Whether a client is attached to the device at this moment (its carrier). False as well if that
  /// cannot be found out.
  [[nodiscard]] bool has_carrier() noexcept;

  /// Opens the veth for the client's packets to exactly these; none closes it.
  void set_endpoints(const std::optional<filter::UplinkAddresses>& uplink,
                     const std::vector<Endpoint>& endpoints);

  /// Addresses, MTU, resolvers and, last, the default route. Throws Error; the route is out then.
  void bring_up(const TunnelSettings& settings, const std::vector<IpAddress>& dns_servers);

  /// Takes the default route out, at once. What else there is stays for the reconnect.
  void take_down() noexcept;

 private:
  /// Opened together while the thread is in the namespace.
  struct Handles {
    netlink::Socket socket;
    netlink::Monitor monitor;
    filter::Nft nft{filter::NftPlace::kChild};
  };

  void apply_filter();

  int netns_fd_;
  bool loaded_ = false;  ///< filter_ is what the kernel has
  filter::InsideFilter filter_;
  std::unique_ptr<Handles> handles_;
  int device_index_ = 0;
  std::optional<netlink::DefaultRoute> any_default_;  ///< both families, for taking out
};

}  // namespace vpnrun::service
