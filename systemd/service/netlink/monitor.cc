// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/monitor.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include <netlink/netlink.h>
#include <netlink/route/netconf.h>

#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"
#include "systemd/service/netlink/route_object.h"

namespace vpnrun::netlink {
namespace {

constexpr unsigned kUp = 1U << 0;        // IFF_UP
constexpr unsigned kLowerUp = 1U << 16;  // IFF_LOWER_UP

using Handler = std::function<void(const Event&)>;

void report_link(::nl_msg* message, const Handler& handle) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  if (::nlmsg_valid_hdr(header, sizeof(::ifinfomsg)) == 0) {
    return;
  }
  const auto* info = static_cast<const ::ifinfomsg*>(::nlmsg_data(header));
  if (info->ifi_family != AF_UNSPEC) {
    return;  // a bridge tells of its ports; its RTM_DELLINK means that a port left, not that it
             // died
  }
  parse_object(message, [&](::nl_object* object) {
    auto* link = reinterpret_cast<::rtnl_link*>(object);
    LinkChanged event;
    event.index = ::rtnl_link_get_ifindex(link);
    if (const char* name = ::rtnl_link_get_name(link)) {
      event.name = name;
    }
    event.up = (::rtnl_link_get_flags(link) & kUp) != 0;
    event.carrier = (::rtnl_link_get_flags(link) & kLowerUp) != 0;
    event.deleted = ::nlmsg_hdr(message)->nlmsg_type == RTM_DELLINK;
    handle(event);
  });
}

void report_route(::nl_msg* message, const Handler& handle) {
  ::nlmsghdr* header = ::nlmsg_hdr(message);
  ::rtnl_route* raw = nullptr;
  if (!is_whole_route(header) || ::rtnl_route_parse(header, &raw) < 0) {
    return;
  }
  const RoutePtr route(raw);
  RouteChanged event;
  if (::rtnl_route_get_nnexthops(route.get()) > 0) {
    event.ifindex = ::rtnl_route_nh_get_ifindex(::rtnl_route_nexthop_n(route.get(), 0));
  }
  const std::optional<Prefix> destination = from_nl(::rtnl_route_get_dst(route.get()));
  event.is_default = destination && destination->length == 0;
  event.deleted = header->nlmsg_type == RTM_DELROUTE;
  handle(event);
}

void report_forwarding(::nl_msg* message, const Handler& handle) {
  parse_object(message, [&](::nl_object* object) {
    auto* settings = reinterpret_cast<::rtnl_netconf*>(object);
    ForwardingChanged event;
    int value = 0;
    if (::rtnl_netconf_get_ifindex(settings, &event.ifindex) < 0 ||
        ::rtnl_netconf_get_forwarding(settings, &value) < 0) {
      return;  // another setting was written
    }
    event.enabled = value != 0;
    handle(event);
  });
}

}  // namespace

void read_event(::nl_msg* message, const Handler& handle) {
  switch (::nlmsg_hdr(message)->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      report_link(message, handle);
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      parse_object(message, [&](::nl_object* object) {
        handle(AddressChanged{::rtnl_addr_get_ifindex(reinterpret_cast<::rtnl_addr*>(object))});
      });
      break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      report_route(message, handle);
      break;
    case RTM_NEWNETCONF:
      report_forwarding(message, handle);
      break;
    default:
      break;
  }
}

static_assert(kAllInterfaces == NETCONFA_IFINDEX_ALL);
static_assert(kDefaultInterface == NETCONFA_IFINDEX_DEFAULT);

Monitor::Monitor()
    : notifications_(NETLINK_ROUTE,
                     {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                      RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF},
                     "the network") {}

int Monitor::fd() const noexcept {
  return notifications_.fd();
}

void Monitor::drain(const std::function<void(const Event&)>& handle) {
  notifications_.drain([&handle](::nl_msg* message) { read_event(message, handle); },
                       [&handle] { handle(Overrun{}); });
}

}  // namespace vpnrun::netlink
