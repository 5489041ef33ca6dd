// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/inside_network.h"
#include "systemd/service/netlink/default_route.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// InsideNetwork in the profile's network namespace. The tunnel device is called tun0, whoever
/// makes it.
class NetnsInside final : public InsideNetwork {
 public:
  /// Loads the filter in its sealed state, and removes a default route that a killed companion
  /// left. `device_lost`: see InsideNetwork. `inside` must outlive this object; nothing else may
  /// read its monitor. Throws Error.
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
  void take_down() noexcept override;

 private:
  void find_device();
  void set_up_device(const TunnelSettings& settings);
  void on_event(const netlink::Event& event);
  [[nodiscard]] bool has_carrier() noexcept;
  void apply_filter();

  Netns& inside_;
  std::function<void()> device_lost_;
  filter::InsideFilter filter_;
  bool loaded_ = false;  ///< the kernel has filter_
  bool up_ = false;      ///< the default route is set
  int device_index_ = 0;
  std::optional<netlink::DefaultRoute> any_default_;  ///< both families, for removal
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
