// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/endpoint.h"

#include "profiles/base/format.h"

namespace vpnrun {

std::string_view to_string(Transport transport) noexcept {
  return transport == Transport::kTcp ? "tcp" : "udp";
}

std::string Endpoint::str() const {
  const char* format = address.is_ipv4() ? "{}:{}/{}" : "[{}]:{}/{}";
  return formatted(fmt::runtime(format), address.str(), port, to_string(transport));
}

}  // namespace vpnrun
