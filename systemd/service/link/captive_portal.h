// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "profiles/base/ip_address.h"
#include "profiles/remote.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/link/network_manager.h"
#include "systemd/service/link/resolver.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

// A network that lets nothing out until somebody has logged in in a browser (a captive portal, as
// in hotels and trains) is recognised by what the machine knows anyway: nobody is asked, and no
// packet is sent for it.

/// What the machine knows of its network.
struct PortalSigns {
  /// The page that the network named in DHCP or router advertisements (RFC 8910); empty: none. Its
  /// words are a stranger's. Such a network may be open already.
  std::string page;
  std::optional<IpAddress> gateway;  ///< of the default route
  /// What NetworkManager last found out, by a page that the machine's administrator chose.
  std::optional<Connectivity> connectivity{};
};

/// A network behind which a portal is suspected: an attempt that fails there fails for that.
struct Portal {
  std::string page;  ///< where to log in; empty: not known
};

/// nullopt: nothing points to one, or NetworkManager has found the way open. Signs are that it has
/// found a portal; a page that the network named; names of servers that lead to nothing but the
/// machine's own gateway; and different names that all lead to one private address. A server may be
/// there all the same, so this counts only once an attempt has failed. Pure.
[[nodiscard]] std::optional<Portal> recognise_portal(std::span<const profile::Remote> servers,
                                                     const NameLookup::Result& names,
                                                     const PortalSigns& signs);

/// `failure`, explained by the portal, with the way out. Nothing tells when the person has logged
/// in, so the next attempt comes within seconds, unless it was the server that refused. Pure.
[[nodiscard]] Failure behind_portal(const Failure& failure, const Portal& portal);

/// The page that systemd-networkd's file of a link (/run/systemd/netif/links/) names; empty: none,
/// or one that is not an http address of sensible length. Pure.
[[nodiscard]] std::string page_in_state(std::string_view state);

/// Those of the network that the default route of `outer` leads to. What cannot be read is left
/// out. Throws Error.
[[nodiscard]] PortalSigns portal_signs(Netns& outer);

}  // namespace vpnrun::service
