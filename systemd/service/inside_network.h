// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "profiles/profile.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/link/link.h"

namespace vpnrun::service {

/// The profile's network namespace as a session works on it: addresses and default route of the
/// tunnel device, and the filter. The `device_lost` callback that its constructor takes is called
/// from the event loop when the device of a tunnel that is up has lost its carrier or is gone.
///
/// Destroying it leaves the namespace offline and sealed; applications stay where they are.
class InsideNetwork {
 public:
  InsideNetwork() = default;
  InsideNetwork(const InsideNetwork&) = delete;
  InsideNetwork& operator=(const InsideNetwork&) = delete;
  InsideNetwork(InsideNetwork&&) = delete;
  InsideNetwork& operator=(InsideNetwork&&) = delete;
  virtual ~InsideNetwork() = default;

  /// Lets the client's packets onto the link, to exactly these endpoints. With no endpoints, or no
  /// link, nothing is let through. Throws Error.
  virtual void open(const std::optional<LinkAddresses>& link,
                    const std::vector<Endpoint>& endpoints) = 0;
  /// Sets addresses, MTU, resolvers and, last, the default route. Does nothing without addresses.
  /// Throws Error; whether the route is set is unknown then.
  virtual void bring_up(const TunnelSettings& settings,
                        const std::vector<IpAddress>& resolvers) = 0;
  /// Lets exactly these ports in from the tunnel from now on. Throws Error; then what was open
  /// before is open.
  virtual void set_inbound(const std::vector<profile::Port>& ports) = 0;
  /// Takes the default route out, at once. All else stays for the reconnect.
  virtual void take_down() noexcept = 0;
};

}  // namespace vpnrun::service
