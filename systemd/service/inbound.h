// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "profiles/profile.h"

namespace vpnrun::service {

/// `open` without `remove` and with `add`, each once, in their order; what is in both is open.
/// Throws Error if that are more than anybody needs and more than before. Pure.
[[nodiscard]] std::vector<profile::Port> with_changes(std::vector<profile::Port> open,
                                                      const std::vector<profile::Port>& add,
                                                      const std::vector<profile::Port>& remove);

/// For people: "tcp/51413, udp/51413", "none".
[[nodiscard]] std::string text_of(const std::vector<profile::Port>& ports);

}  // namespace vpnrun::service
