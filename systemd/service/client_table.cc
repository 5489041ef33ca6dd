// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client_table.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <initializer_list>

#include "profiles/base/error.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/netlink/route.h"
#include "systemd/service/netlink/rule.h"

namespace vpnrun::service {
namespace {

/// Behind the table of the namespace's own addresses (0), before the main table (32766).
constexpr std::uint32_t kPriority = 1000;
constexpr std::initializer_list<Family> kFamilies = {Family::kIpv4, Family::kIpv6};

netlink::Rule rule_of(Family family, ::uid_t client) {
  return {family, kPriority, kClientTable, client};
}

netlink::Rule bound_rule() {
  return {Family::kIpv4, kPriority + 1, kBoundTable, std::nullopt, filter::kTunnelDevice};
}

netlink::Route nowhere(Family family) {
  netlink::Route route;
  route.destination = Prefix::default_network(family);
  route.table = kClientTable;
  route.type = RTN_UNREACHABLE;
  return route;
}

/// Runs `step`; for IPv6 a kernel without it, or without its routing tables, is no failure.
void for_family(Family family, const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    const int number = error.code().value();
    const bool absent = number == EAFNOSUPPORT || number == EOPNOTSUPP;
    if (absent && family == Family::kIpv4) {
      throw Error(
          error.what(), error.code(),
          "the kernel needs policy routing: CONFIG_IP_MULTIPLE_TABLES, Linux 4.10 or later");
    }
    if (!absent) {
      throw;
    }
  }
}

}  // namespace

netlink::Route nowhere_on(int ifindex) {
  netlink::Route route;
  route.destination = Prefix::default_network(Family::kIpv4);
  route.ifindex = ifindex;
  route.table = kBoundTable;
  route.type = RTN_MULTICAST;
  // Of any other scope it would be marked as soon as the device loses its carrier, and be passed
  // over as all routes to such a device are (ignore_routes_with_linkdown): just when it is needed.
  route.scope = RT_SCOPE_HOST;
  return route;
}

void route_client(Netns& inside, ::uid_t client) {
  if (const int error = inside.write_sysctl("net/ipv4/conf/all/rp_filter", "0"); error != 0) {
    throw_error(error, "cannot set '{}'", "net/ipv4/conf/all/rp_filter");
  }
  netlink::Socket& socket = inside.socket();
  for (const netlink::Rule& rule : netlink::list_rules(socket)) {
    if (rule.table == kClientTable && rule != rule_of(rule.family, client)) {
      (void)netlink::delete_rule(socket, rule);  // the profile's user has changed
    }
  }
  for (const Family family : kFamilies) {
    for_family(family, [&] {
      // The route first: no packet of the client is to find the table empty and go on to the next.
      netlink::replace_route(socket, nowhere(family));
      (void)netlink::add_rule(socket, rule_of(family, client));  // false: it is there
    });
  }
  (void)netlink::add_rule(socket, bound_rule());
}

void unroute_client(Netns& inside) {
  netlink::Socket& socket = inside.socket();
  for (const netlink::Rule& rule : netlink::list_rules(socket)) {
    if (rule.table == kClientTable || rule.table == kBoundTable) {
      (void)netlink::delete_rule(socket, rule);
    }
  }
  for (const netlink::Route& route : netlink::list_routes(socket)) {
    if (route.table == kClientTable && route.destination.length == 0) {
      (void)netlink::delete_route(socket, nowhere(route.destination.address.family()));
    }
  }
}

}  // namespace vpnrun::service
