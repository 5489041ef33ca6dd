// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
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
  /// Each lookup asks for another name below `host`, which alone may not exist:
  /// `remote-random-hostname`. Means nothing for an address.
  bool random_label = false;
  std::size_t line = 0;  ///< of the configuration; 0: not known

  /// Whether they name the same server, wherever they are written.
  friend bool operator==(const Remote& a, const Remote& b) {
    return a.host == b.host && a.port == b.port && a.transport == b.transport &&
           a.random_label == b.random_label;
  }
};

}  // namespace vpnrun::profile
