// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/link/captive_portal.h"
#include "systemd/service/link/endpoint_check.h"

namespace vpnrun::service {

/// The two ends of a link that reaches into the namespace.
struct LinkAddresses {
  std::string outer_device;  ///< its name in the outer namespace
  IpAddress outer;
  IpAddress inner;
  friend bool operator==(const LinkAddresses&, const LinkAddresses&) = default;
};

/// What a link reports. Each is called from the event loop, never from within a call to the link.
struct LinkEvents {
  /// The machine may be online again: there is a carrier or a default route that was not there
  /// before.
  std::function<void()> maybe_online;
  /// Something on the machine drops the client's packets; the failure says what to do about it.
  std::function<void(const Failure&)> blocked;
  /// What dropped them now lets them through: a new attempt need not wait.
  std::function<void()> unblocked;
};

/// Carries the client's own packets to its server, and nobody else's. Closed when made, and again
/// when destroyed; it adapts to changes of the machine by itself. There is never a default route
/// over it.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  Link(Link&&) = delete;
  Link& operator=(Link&&) = delete;
  virtual ~Link() = default;

  /// Why no server can be reached at this address over this link; nullopt: one can. Throws Error.
  [[nodiscard]] virtual std::optional<UnusableAddress> check(const IpAddress& address) = 0;
  /// Opens it for exactly these endpoints, and closes all others. What the machine does with their
  /// packets is watched until settled(). Throws Error; it may be closed then.
  virtual void open(const std::vector<Endpoint>& endpoints) = 0;
  /// The tunnel works: the packets need not be watched any longer.
  virtual void settled() = 0;
  /// What is known of a page in front of the network that it uses (captive_portal.h).
  [[nodiscard]] virtual PortalSigns portal_signs() { return {}; }
  /// nullopt: nothing of the link is inside.
  [[nodiscard]] virtual std::optional<LinkAddresses> addresses() const = 0;
};

}  // namespace vpnrun::service
