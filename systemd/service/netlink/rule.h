// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/netlink/socket.h"

namespace vpnrun::netlink {

/// A policy rule, see ip-rule(8): which table decides about a packet. Rules are asked in the order
/// of their priorities, until one leads to a route. This is a part of what the kernel knows.
struct Rule {
  Family family = Family::kIpv4;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  /// Only for sockets of this user. What the kernel sends by itself counts as root's.
  std::optional<::uid_t> owner;
  /// Only for sockets that are bound to this device; empty: for all.
  std::string device{};

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// false: there is such a rule already.
[[nodiscard]] bool add_rule(Socket& socket, const Rule& rule);
/// Of both families. A rule for a range of users is not in the list.
[[nodiscard]] std::vector<Rule> list_rules(Socket& socket);
/// Without an owner it stands for anybody's of this priority and table. false: there is none.
[[nodiscard]] bool delete_rule(Socket& socket, const Rule& rule);

}  // namespace vpnrun::netlink
