// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/inside_network.h"
#include "systemd/service/netlink/connections.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Which addresses stay in the namespace for a while, because there are connections that cannot be
/// ended. `former`: what the tunnel had before, as far as that is known; `in_use`: what these
/// connections have, empty if that is not known. Of IPv6 none but former ones: any program can have
/// a connection in the name of an address that nobody here ever had (IPV6_FREEBIND), which would
/// become the namespace's own, and whoever listens inside would answer in the place of a resolver
/// or a web site. Of IPv4 none can. Pure.
[[nodiscard]] std::vector<IpAddress> to_be_retired(const std::vector<IpAddress>& former,
                                                   const std::vector<IpAddress>& in_use);

/// InsideNetwork in the profile's network namespace. The tunnel device is called tun0, whoever
/// makes it.
///
/// When the tunnel comes up with another address than before, connections of the former one are
/// ended, as nothing could ever arrive for them again: their programs are told at once, or (of a
/// kernel that cannot do that) when they send something. While the tunnel is down, for however
/// long, connections are left alone: it may come back with the same address.
class NetnsInside final : public InsideNetwork {
 public:
  /// The filter is brought to the sealed state, the client is routed by its own table
  /// (client_table.h), and a default route that a killed companion left is taken out.
  /// `device_lost`: see InsideNetwork. `inside` must outlive this object; its monitor has no other
  /// reader. Throws Error.
  NetnsInside(EventLoop& loop, const profile::Profile& profile, Netns& inside, ::uid_t client_uid,
              std::function<void()> device_lost);
  NetnsInside(const NetnsInside&) = delete;
  NetnsInside& operator=(const NetnsInside&) = delete;
  NetnsInside(NetnsInside&&) = delete;
  NetnsInside& operator=(NetnsInside&&) = delete;
  ~NetnsInside() override;

  void open(const std::optional<LinkAddresses>& link,
            const std::vector<Endpoint>& endpoints) override;
  void bring_up(const TunnelSettings& settings, const std::vector<IpAddress>& resolvers) override;
  void set_inbound(const std::vector<profile::Port>& ports) override;
  void take_down() noexcept override;

 private:
  void find_device();
  void set_up_device(const TunnelSettings& settings);
  void on_event(const netlink::Event& event);
  [[nodiscard]] bool has_carrier() noexcept;
  void apply_filter();
  void set_addresses(const std::vector<Prefix>& current);
  void list_stale_connections(const std::vector<IpAddress>& former) noexcept;
  void end_stale_connections(const std::vector<IpAddress>& former) noexcept;
  void retire(const std::vector<IpAddress>& addresses);
  void install_default();

  EventLoop& loop_;
  Netns& inside_;
  std::function<void()> device_lost_;
  filter::InsideFilter filter_;
  bool loaded_ = false;  ///< the kernel has filter_
  bool up_ = false;      ///< the default route is set
  int device_index_ = 0;
  std::vector<Prefix> current_;  ///< the tunnel's addresses
  std::vector<IpAddress> left_;  ///< those that a killed companion's tunnel had
  std::unique_ptr<netlink::StaleConnections> stale_;  ///< whose address the tunnel no longer has
  EventLoop::Handle ending_;                          ///< of those
  std::optional<netlink::DefaultRoute> any_default_;  ///< both families, for taking out
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
