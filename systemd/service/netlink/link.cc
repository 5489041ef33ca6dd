// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/link.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netlink/route/link/veth.h>

#include "profiles/base/format.h"
#include "systemd/service/netlink/message.h"
#include "systemd/service/netlink/object.h"

namespace vpnrun::netlink {
namespace {

/// IFF_LOWER_UP of linux/if.h, which cannot be included beside net/if.h.
constexpr unsigned kLowerUp = 1U << 16;

LinkInfo to_info(::rtnl_link* link) {
  LinkInfo info;
  info.index = ::rtnl_link_get_ifindex(link);
  if (const char* name = ::rtnl_link_get_name(link)) {
    info.name = name;
  }
  if (const char* kind = ::rtnl_link_get_type(link)) {
    info.kind = kind;
  }
  if (const char* alias = ::rtnl_link_get_ifalias(link)) {
    info.alias = alias;
  }
  info.mtu = ::rtnl_link_get_mtu(link);
  const unsigned flags = ::rtnl_link_get_flags(link);
  info.up = (flags & IFF_UP) != 0;
  info.carrier = (flags & kLowerUp) != 0;
  info.loopback = (flags & IFF_LOOPBACK) != 0;
  const ::nl_addr* mac = ::rtnl_link_get_addr(link);
  if (mac != nullptr && ::nl_addr_get_len(mac) == info.mac.size()) {
    const auto* bytes = static_cast<const std::uint8_t*>(::nl_addr_get_binary_addr(mac));
    std::copy_n(bytes, info.mac.size(), info.mac.begin());
  }
  return info;
}

std::optional<LinkInfo> find(Socket& socket, int index, const char* name) {
  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_link_build_get_request(index, name, &raw);
  const std::string what = name != nullptr ? formatted("'{}'", name) : formatted("link {}", index);
  const MessagePtr message = built(result, raw, "look for " + what);
  std::optional<LinkInfo> info;
  const Reply reply =
      socket.request(message.get(), [&](::nl_msg* answer) { info = parse_link(answer); });
  if (reply.error == ENODEV) {
    return std::nullopt;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot look for " + what);
  }
  return info;
}

LinkPtr new_link() {
  return checked(LinkPtr(::rtnl_link_alloc()));
}

NlAddressPtr mac_to_nl(const MacAddress& mac) {
  return checked(NlAddressPtr(::nl_addr_build(AF_LLC, mac.data(), mac.size())));
}

void set_properties(::rtnl_link* link, const std::string& name, std::uint32_t mtu,
                    const std::optional<MacAddress>& mac) {
  ::rtnl_link_set_name(link, name.c_str());
  if (mtu != 0) {
    ::rtnl_link_set_mtu(link, mtu);
  }
  if (mac) {
    ::rtnl_link_set_addr(link, mac_to_nl(*mac).get());  // takes a reference of its own
  }
}

void set_flag(::rtnl_link* link, unsigned flag, bool on) {
  if (on) {
    ::rtnl_link_set_flags(link, flag);
  } else {
    ::rtnl_link_unset_flags(link, flag);
  }
}

}  // namespace

std::optional<LinkInfo> parse_link(::nl_msg* message) {
  std::optional<LinkInfo> info;
  if (::nlmsg_hdr(message)->nlmsg_type != RTM_NEWLINK) {
    return info;  // libnl makes another kind of object of it
  }
  parse_object(message, [&](::nl_object* object) {
    info = to_info(reinterpret_cast<::rtnl_link*>(object));
  });
  return info;
}

std::optional<LinkInfo> find_link(Socket& socket, const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return std::nullopt;
  }
  return find(socket, 0, name.c_str());
}

std::optional<LinkInfo> find_link(Socket& socket, int index) {
  return index > 0 ? find(socket, index, nullptr) : std::nullopt;
}

std::vector<LinkInfo> list_links(Socket& socket) {
  std::vector<LinkInfo> links;
  dump(
      socket, RTM_GETLINK, "links", [&] { links.clear(); },
      [&](::nl_msg* message) {
        if (auto link = parse_link(message)) {
          links.push_back(std::move(*link));
        }
      });
  return links;
}

bool create_veth(Socket& socket, const VethSpec& spec) {
  const LinkPtr link = checked(LinkPtr(::rtnl_link_veth_alloc()));
  set_properties(link.get(), spec.name, spec.mtu, spec.mac);
  // Gives a reference away, although its documentation does not say so.
  const LinkPtr peer = checked(LinkPtr(::rtnl_link_veth_get_peer(link.get())));
  set_properties(peer.get(), spec.peer_name, spec.mtu, spec.peer_mac);
  ::rtnl_link_set_ns_fd(peer.get(), spec.peer_netns_fd);

  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, &raw);
  const std::string what = formatted("make the link '{}'", spec.name);
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

bool delete_link(Socket& socket, const std::string& name) {
  const LinkPtr link = new_link();
  ::rtnl_link_set_name(link.get(), name.c_str());
  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_link_build_delete_request(link.get(), &raw);
  const std::string what = formatted("delete the link '{}'", name);
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error == ENODEV) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
  return true;
}

bool change_link(Socket& socket, int index, const LinkChange& change) {
  const LinkPtr link = new_link();
  ::rtnl_link_set_ifindex(link.get(), index);
  const LinkPtr changes = new_link();
  if (change.up) {
    set_flag(changes.get(), IFF_UP, *change.up);
  }
  if (change.arp) {
    set_flag(changes.get(), IFF_NOARP, !*change.arp);
  }
  if (change.mtu) {
    ::rtnl_link_set_mtu(changes.get(), *change.mtu);
  }
  if (change.alias) {
    ::rtnl_link_set_ifalias(changes.get(), change.alias->c_str());
  }
  if (change.mac) {
    ::rtnl_link_set_addr(changes.get(), mac_to_nl(*change.mac).get());
  }
  ::nl_msg* raw = nullptr;
  const int result = ::rtnl_link_build_change_request(link.get(), changes.get(), 0, &raw);
  const std::string what = formatted("change link {}", index);
  const MessagePtr message = built(result, raw, what);
  const Reply reply = socket.request(message.get());
  if (reply.error == ENODEV) {
    return false;
  }
  if (reply.error != 0) {
    throw_reply(reply, "cannot " + what);
  }
  return true;
}

}  // namespace vpnrun::netlink
