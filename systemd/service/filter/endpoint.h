// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "profiles/profile.h"
#include "systemd/service/netlink/ip_address.h"

namespace vpnrun::filter {

/// Where the VPN server listens: all that the veth may carry packets to. IPv4 only; an IPv6 address
/// is refused by the generators (Error).
struct Endpoint {
  netlink::IpAddress address;
  profile::Transport transport = profile::Transport::kUdp;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace vpnrun::filter
