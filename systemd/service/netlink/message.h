// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include <functional>
#include <optional>
#include <string>

#include "systemd/service/netlink/address.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/monitor.h"
#include "systemd/service/netlink/nl_ptr.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/rule.h"

/// What one message of the kernel says, independent of how it was received: for this library and
/// its tests. Pure. nullopt, or no event: the message is of another kind, or too short for its
/// kind.
namespace vpnrun::netlink {

[[nodiscard]] std::optional<LinkInfo> parse_link(::nl_msg* message);
/// Without those that have no local address.
[[nodiscard]] std::optional<InterfaceAddress> parse_address(::nl_msg* message);
/// Of IPv4 and IPv6; nullopt for RTM_DELROUTE.
[[nodiscard]] std::optional<Route> parse_route(::nl_msg* message);
/// Of one that leads to a table, and names no user or exactly one.
[[nodiscard]] std::optional<Rule> parse_rule(::nl_msg* message);
struct Connection {
  IpAddress source;         ///< of IPv4 if it is one of IPv4 that is written in IPv6
  ::inet_diag_sockid id{};  ///< for a request about it
};
[[nodiscard]] std::optional<Connection> parse_connection(::nl_msg* message);
/// The kernel's own sentence in an error message; empty if there is none.
[[nodiscard]] std::string extended_text(const ::nlmsgerr& error);
/// Hands over what Monitor reports of this message.
void read_event(::nl_msg* message, const std::function<void(const Event&)>& handle);

}  // namespace vpnrun::netlink
