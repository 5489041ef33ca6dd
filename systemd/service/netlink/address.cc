// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/address.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "profiles/base/format.h"
#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

constexpr std::uint32_t kForEver = 0xffffffff;  // a lifetime; rtnetlink(7), struct ifa_cacheinfo

RtAddressPtr to_object(const InterfaceAddress& address) {
  RtAddressPtr object = checked(RtAddressPtr(::rtnl_addr_alloc()));
  ::rtnl_addr_set_ifindex(object.get(), address.ifindex);
  ::rtnl_addr_set_local(object.get(), to_nl(address.address).get());
  if (address.peer) {
    // With a peer the prefix is the peer's: the kernel makes a route for that.
    ::rtnl_addr_set_peer(object.get(), to_nl(Prefix{*address.peer, address.address.length}).get());
  }
  if (address.address.address.is_ipv6()) {
    ::rtnl_addr_set_flags(object.get(), IFA_F_NODAD);
  }
  if (address.retired && address.address.address.is_ipv6()) {
    ::rtnl_addr_set_valid_lifetime(object.get(), kForEver);
    ::rtnl_addr_set_preferred_lifetime(object.get(), 0);
  } else if (address.retired) {
    ::rtnl_addr_set_scope(object.get(), RT_SCOPE_HOST);
  }
  return object;
}

std::optional<InterfaceAddress> from_object(::rtnl_addr* object) {
  const std::optional<Prefix> local = from_nl(::rtnl_addr_get_local(object));
  const int length = ::rtnl_addr_get_prefixlen(object);
  if (!local || length < 0 || length > local->address.bit_count()) {
    return std::nullopt;
  }
  InterfaceAddress address;
  address.ifindex = ::rtnl_addr_get_ifindex(object);
  address.address = {local->address, static_cast<std::uint8_t>(length)};
  address.retired =
      local->address.is_ipv4()
          ? ::rtnl_addr_get_scope(object) == RT_SCOPE_HOST && !local->address.is_loopback()
          : (::rtnl_addr_get_flags(object) & IFA_F_DEPRECATED) != 0;
  const std::optional<Prefix> peer = from_nl(::rtnl_addr_get_peer(object));
  if (peer && peer->address != local->address) {
    address.peer = peer->address;
  }
  return address;
}

bool is_link_local(const IpAddress& address) {
  return address.is_ipv6() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0U) == 0x80;
}

std::vector<InterfaceAddress> addresses_of(Socket& socket, int ifindex) {
  std::vector<InterfaceAddress> all = list_addresses(socket);
  std::erase_if(all, [&](const InterfaceAddress& address) { return address.ifindex != ifindex; });
  return all;
}

}  // namespace

std::optional<InterfaceAddress> parse_address(::nl_msg* message) {
  std::optional<InterfaceAddress> address;
  if (::nlmsg_hdr(message)->nlmsg_type != RTM_NEWADDR) {
    return address;  // libnl makes another kind of object of it
  }
  parse_object(message, [&](::nl_object* object) {
    address = from_object(reinterpret_cast<::rtnl_addr*>(object));
  });
  return address;
}

bool add_address(Socket& socket, const InterfaceAddress& address) {
  ::nl_msg* raw = nullptr;
  const int result =
      ::rtnl_addr_build_add_request(to_object(address).get(), NLM_F_CREATE | NLM_F_EXCL, &raw);
  const std::string what = formatted("add the address {}", address.address.str());
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error == EEXIST) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
  return true;
}

bool delete_address(Socket& socket, const InterfaceAddress& address) {
  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_addr_build_delete_request(to_object(address).get(), 0, &raw);
  const std::string what = formatted("remove the address {}", address.address.str());
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error == EADDRNOTAVAIL || reply.error == ENODEV) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
  return true;
}

void set_addresses(Socket& socket, int ifindex, const std::vector<InterfaceAddress>& addresses) {
  std::vector<InterfaceAddress> wanted = addresses;
  const std::vector<InterfaceAddress> before = addresses_of(socket, ifindex);
  for (InterfaceAddress& address : wanted) {
    address.ifindex = ifindex;
    // In another way, which the kernel takes for this one.
    const auto other = std::find_if(before.begin(), before.end(), [&address](const auto& present) {
      return present.address.address == address.address.address && present != address &&
             present.address.address.is_ipv6();
    });
    if (other != before.end()) {
      (void)delete_address(socket, *other);
    }
    (void)add_address(socket, address);  // there already: as wanted
  }
  for (const InterfaceAddress& present : addresses_of(socket, ifindex)) {
    const bool stays = std::find(wanted.begin(), wanted.end(), present) != wanted.end() ||
                       is_link_local(present.address.address);
    if (!stays) {
      (void)delete_address(socket, present);  // may have gone with the one before it
    }
  }
}

void flush_addresses(Socket& socket, int ifindex) {
  for (const InterfaceAddress& address : addresses_of(socket, ifindex)) {
    (void)delete_address(socket, address);  // secondary addresses go with their primary one
  }
}

std::vector<InterfaceAddress> list_addresses(Socket& socket) {
  std::vector<InterfaceAddress> addresses;
  dump(
      socket, RTM_GETADDR, "addresses", [&] { addresses.clear(); },
      [&](::nl_msg* message) {
        if (auto address = parse_address(message)) {
          addresses.push_back(*address);
        }
      });
  return addresses;
}

void set_neighbour(Socket& socket, int ifindex, const IpAddress& address, const MacAddress& mac) {
  const NeighbourPtr neighbour = checked(NeighbourPtr(::rtnl_neigh_alloc()));
  ::rtnl_neigh_set_ifindex(neighbour.get(), ifindex);
  ::rtnl_neigh_set_dst(neighbour.get(), to_nl(address).get());
  const NlAddressPtr link_address =
      checked(NlAddressPtr(::nl_addr_build(AF_LLC, mac.data(), mac.size())));
  ::rtnl_neigh_set_lladdr(neighbour.get(), link_address.get());
  ::rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);

  ::nl_msg* raw = nullptr;
  const int result =
      ::rtnl_neigh_build_add_request(neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE, &raw);
  const std::string what = formatted("set the neighbour {}", address.str());
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
}

}  // namespace vpnrun::netlink
