// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "systemd/service/netlink/socket.h"

namespace vpnrun::netlink {

using MacAddress = std::array<std::uint8_t, 6>;

struct LinkInfo {
  int index = 0;
  std::string name;
  std::string kind;   ///< "veth", "tun", …; empty for lo and hardware
  std::string alias;  ///< what somebody wrote down about it (ip-link(8)); mostly empty
  std::uint32_t mtu = 0;
  bool up = false;        ///< administratively (IFF_UP)
  bool carrier = false;   ///< IFF_LOWER_UP; for a tun: a client is attached
  bool loopback = false;  ///< IFF_LOOPBACK, whatever it is called
  MacAddress mac{};       ///< zero where the link has none
};

/// nullopt: there is no such link.
[[nodiscard]] std::optional<LinkInfo> find_link(Socket& socket, const std::string& name);
[[nodiscard]] std::optional<LinkInfo> find_link(Socket& socket, int index);
[[nodiscard]] std::vector<LinkInfo> list_links(Socket& socket);

/// A pair of virtual Ethernet interfaces, see veth(4).
struct VethSpec {
  std::string name;                    ///< this end, in the socket's namespace; 1…15 bytes
  std::string peer_name;               ///< the other end
  int peer_netns_fd = -1;              ///< network namespace in which the other end is made
  std::uint32_t mtu = 0;               ///< bytes; 0: the kernel's default
  std::optional<MacAddress> mac;       ///< nullopt: random
  std::optional<MacAddress> peer_mac;  ///< nullopt: random
};

/// Makes both ends in one request, both down; the peer is never seen in the socket's namespace.
/// false: one of the two names is taken, nothing was made.
[[nodiscard]] bool create_veth(Socket& socket, const VethSpec& spec);

/// Any kind of virtual link, a persistent tun device included; a veth takes its peer with it. When
/// this returns, the names of both ends are free. false: there was none.
[[nodiscard]] bool delete_link(Socket& socket, const std::string& name);

/// What is nullopt stays as it is.
struct LinkChange {
  std::optional<bool> up;
  std::optional<bool> arp;  ///< false: IFF_NOARP, neighbours must then be added
  std::optional<std::uint32_t> mtu;
  std::optional<MacAddress> mac;
  std::optional<std::string> alias;
};

/// false: there is no such link.
[[nodiscard]] bool change_link(Socket& socket, int index, const LinkChange& change);

}  // namespace vpnrun::netlink
