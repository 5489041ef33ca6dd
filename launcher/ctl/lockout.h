// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "launcher/ctl/service_manager.h"

namespace vpnrun {

/// What attaching the unit would cut the administrator off from: "logins from other machines";
/// empty if it is none of that kind. By the unit's names, and by the programs that it starts.
[[nodiscard]] std::string lockout_of(const Unit& unit);

/// One address at which a socket unit listens, as "[::]:22 (Stream)" in the property Listen.
struct ListenAddress {
  std::string address;
  std::string type;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// What the property Listen of a socket unit says.
[[nodiscard]] std::vector<ListenAddress> listen_addresses(const std::string& listen);

/// Whether it is reached from other machines or by the loopback device, not by a path, an abstract
/// name or a queue of this machine's.
[[nodiscard]] bool is_internet(const ListenAddress& address);

}  // namespace vpnrun
