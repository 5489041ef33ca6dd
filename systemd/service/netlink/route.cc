// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/route.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include "profiles/base/format.h"
#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"
#include "systemd/service/netlink/route_object.h"

namespace vpnrun::netlink {
namespace {

std::optional<Route> from_object(::rtnl_route* object) {
  const std::optional<Prefix> destination = from_nl(::rtnl_route_get_dst(object));
  if (!destination) {
    return std::nullopt;
  }
  Route route;
  route.destination = *destination;
  route.metric = ::rtnl_route_get_priority(object);
  route.table = ::rtnl_route_get_table(object);
  route.type = ::rtnl_route_get_type(object);
  route.scope = ::rtnl_route_get_scope(object);
  if (const auto source = from_nl(::rtnl_route_get_pref_src(object))) {
    route.preferred_source = source->address;
  }
  if (::rtnl_route_get_nnexthops(object) > 0) {
    ::rtnl_nexthop* hop = ::rtnl_route_nexthop_n(object, 0);
    route.ifindex = ::rtnl_route_nh_get_ifindex(hop);
    if (const auto gateway = from_nl(::rtnl_route_nh_get_gateway(hop))) {
      route.gateway = gateway->address;
    }
  }
  return route;
}

bool is_no_way(int error) {
  return error == ENETUNREACH || error == EHOSTUNREACH || error == EACCES || error == EINVAL ||
         error == EAGAIN;
}

bool is_way(std::uint8_t type) {
  return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BROADCAST ||
         type == RTN_MULTICAST || type == RTN_ANYCAST;
}

MessagePtr lookup_request(const IpAddress& destination) {
  MessagePtr message = checked(MessagePtr(::nlmsg_alloc_simple(RTM_GETROUTE, 0)));
  ::rtmsg request{};
  request.rtm_family = static_cast<unsigned char>(destination.address_family());
  request.rtm_dst_len = destination.bit_count();
  const std::span<const std::uint8_t> bytes = destination.bytes();
  if (::nlmsg_append(message.get(), &request, sizeof(request), NLMSG_ALIGNTO) < 0 ||
      ::nla_put(message.get(), RTA_DST, static_cast<int>(bytes.size()), bytes.data()) < 0) {
    throw std::bad_alloc();
  }
  return message;
}

template <class Predicate>
bool all_attributes(const ::nlattr* attribute, int left, Predicate holds) {
  for (; ::nla_ok(attribute, left) != 0; attribute = ::nla_next(attribute, &left)) {
    if (!holds(attribute)) {
      return false;
    }
  }
  return true;
}

bool is_whole_gateway(const ::nlattr* attribute) {
  return ::nla_type(attribute) != RTA_VIA ||
         ::nla_len(attribute) >= static_cast<int>(sizeof(::rtvia));
}

bool has_whole_hops(std::span<const std::byte> hops) {
  while (!hops.empty()) {
    ::rtnexthop hop{};
    if (hops.size() < sizeof(hop)) {
      return false;
    }
    std::memcpy(&hop, hops.data(), sizeof(hop));
    // The padding, too: libnl subtracts it from what is left, which is unsigned.
    const std::size_t length = RTNH_ALIGN(hop.rtnh_len);
    if (hop.rtnh_len < sizeof(hop) || length > hops.size()) {
      return false;
    }
    if (!all_attributes(reinterpret_cast<const ::nlattr*>(hops.data() + sizeof(hop)),
                        static_cast<int>(hop.rtnh_len - sizeof(hop)), is_whole_gateway)) {
      return false;
    }
    hops = hops.subspan(length);
  }
  return true;
}

}  // namespace

bool is_whole_route(::nlmsghdr* header) {
  if (::nlmsg_valid_hdr(header, sizeof(::rtmsg)) == 0) {
    return false;
  }
  return all_attributes(
      ::nlmsg_attrdata(header, sizeof(::rtmsg)), ::nlmsg_attrlen(header, sizeof(::rtmsg)),
      [](const ::nlattr* attribute) {
        return is_whole_gateway(attribute) &&
               (::nla_type(attribute) != RTA_MULTIPATH ||
                has_whole_hops({static_cast<const std::byte*>(::nla_data(attribute)),
                                static_cast<std::size_t>(::nla_len(attribute))}));
      });
}

std::optional<Route> parse_route(::nl_msg* message) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  ::rtnl_route* raw = nullptr;
  if (header->nlmsg_type != RTM_NEWROUTE || !is_whole_route(header) ||
      ::rtnl_route_parse(header, &raw) < 0) {
    return std::nullopt;
  }
  const RoutePtr object(raw);
  const int family = ::rtnl_route_get_family(object.get());
  // A dump of all families has multicast forwarding and MPLS in it.
  return family == AF_INET || family == AF_INET6 ? from_object(object.get()) : std::nullopt;
}

RoutePtr to_object(const Route& route) {
  RoutePtr object = checked(RoutePtr(::rtnl_route_alloc()));
  const Prefix network = route.destination.network();
  ::rtnl_route_set_family(object.get(),
                          static_cast<std::uint8_t>(network.address.address_family()));
  ::rtnl_route_set_dst(object.get(), to_nl(network).get());
  ::rtnl_route_set_table(object.get(), route.table);
  ::rtnl_route_set_type(object.get(), route.type);
  ::rtnl_route_set_protocol(object.get(), RTPROT_STATIC);
  const bool direct = route.type == RTN_UNICAST && !route.gateway;
  ::rtnl_route_set_scope(object.get(),
                         route.scope.value_or(direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE));
  if (route.metric != 0) {
    ::rtnl_route_set_priority(object.get(), route.metric);
  }
  if (route.preferred_source) {
    ::rtnl_route_set_pref_src(object.get(), to_nl(*route.preferred_source).get());
  }
  if (route.ifindex != 0 || route.gateway) {
    NexthopPtr hop = checked(NexthopPtr(::rtnl_route_nh_alloc()));
    ::rtnl_route_nh_set_ifindex(hop.get(), route.ifindex);
    if (route.gateway) {
      ::rtnl_route_nh_set_gateway(hop.get(), to_nl(*route.gateway).get());
    }
    ::rtnl_route_add_nexthop(object.get(), hop.release());  // the route owns it from here
  }
  return object;
}

void replace_route(Socket& socket, const Route& route) {
  ::nl_msg* raw = nullptr;
  const int result =
      ::rtnl_route_build_add_request(to_object(route).get(), NLM_F_CREATE | NLM_F_REPLACE, &raw);
  const std::string what = formatted("set the route to {}", route.destination.str());
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
}

bool delete_route(Socket& socket, const Route& route) {
  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_route_build_del_request(to_object(route).get(), 0, &raw);
  const std::string what = formatted("remove the route to {}", route.destination.str());
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error == ESRCH || reply.error == ENODEV) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
  return true;
}

void allow_ipv6_loopback(Socket& socket, int ifindex) {
  Route route;
  route.destination = *Prefix::parse("::1");
  route.ifindex = ifindex;
  route.metric = 1024;  // behind the one on lo, which stays the way out
  route.table = RT_TABLE_LOCAL;
  route.type = RTN_LOCAL;
  replace_route(socket, route);
}

std::vector<Route> list_routes(Socket& socket) {
  std::vector<Route> routes;
  dump(
      socket, RTM_GETROUTE, "routes", [&] { routes.clear(); },
      [&](::nl_msg* message) {
        if (auto route = parse_route(message)) {
          routes.push_back(*route);
        }
      });
  return routes;
}

std::optional<RouteAnswer> route_get(Socket& socket, const IpAddress& destination) {
  const MessagePtr message = lookup_request(destination);
  std::optional<Route> route;
  const Reply reply =
      socket.request(message.get(), [&](::nl_msg* answer) { route = parse_route(answer); });
  if (is_no_way(reply.error) || (route && !is_way(route->type))) {
    return std::nullopt;
  }
  if (reply.error != 0) {
    throw_reply(reply, formatted("cannot look up the route to {}", destination.str()));
  }
  if (!route) {
    return std::nullopt;
  }
  return RouteAnswer{route->ifindex, route->preferred_source, route->gateway, route->type};
}

}  // namespace vpnrun::netlink
