// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "profiles/base/endpoint.h"

namespace vpnrun::profile {

/// A server as a configuration names it. Of an OpenVPN file: one `remote`, with `port` and `proto`
/// of the file filled in where the line leaves them out.
struct Remote {
  std::string host;  ///< a name or an address literal, as written
  std::uint16_t port = 1194;
  Transport transport = Transport::kUdp;
  friend bool operator==(const Remote&, const Remote&) = default;
};

}  // namespace vpnrun::profile
