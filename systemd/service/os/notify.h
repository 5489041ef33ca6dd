// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

/// Tells the service manager, if there is one, by the protocol of sd_notify(3): "READY=1",
/// "STATUS=…", "STOPPING=1". Never fails: there is nobody to tell of it.
void notify(const std::string& message) noexcept;

/// How often, at least, the service manager wants to hear "WATCHDOG=1" (sd_watchdog_enabled(3));
/// nullopt if it does not. The variables are removed from the environment.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period();

/// The listening sockets handed over by systemd (sd_listen_fds(3)), close-on-exec. LISTEN_FDS and
/// LISTEN_PID are removed from the environment.
[[nodiscard]] std::vector<UniqueFd> inherited_sockets();

}  // namespace vpnrun::service
