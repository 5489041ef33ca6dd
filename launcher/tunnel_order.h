// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "launcher/places.h"
#include "launcher/tunnel_wait.h"

namespace vpnrun {

/// Whether systemd may start a companion that does not run.
enum class Start : std::uint8_t { kAllowed, kNo };

/// Connects to the companion of `profile` and carries the order out (tunnel_wait.h). A companion
/// that closes the connection before the tunnel is up (it was restarted, or crashed and systemd
/// starts it anew) is called again for as long as the order's patience lasts. Throws Error, and
/// what ControlClient::connect() throws.
[[nodiscard]] Status order_tunnel(const Places& places, const std::string& profile,
                                  const Order& order, Start start, Person& person);

}  // namespace vpnrun
