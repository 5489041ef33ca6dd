// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "profiles/base/ip_address.h"

namespace vpnrun {

enum class Transport : std::uint8_t { kTcp, kUdp };

/// "tcp" or "udp", as nft(8) and people write it.
[[nodiscard]] std::string_view to_string(Transport transport) noexcept;

/// Where a server listens: all that a link may carry packets to.
struct Endpoint {
  IpAddress address;
  Transport transport = Transport::kUdp;
  std::uint16_t port = 0;

  /// "198.51.100.10:1194/udp", "[2001:db8::1]:51820/udp".
  [[nodiscard]] std::string str() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace vpnrun
