// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

/// Sends `message` to the service manager, if there is one, by the protocol of sd_notify(3):
/// "READY=1", "STATUS=…", "STOPPING=1". A failure is ignored: there is nobody to report it to.
void notify(const std::string& message) noexcept;

/// The longest time that the service manager waits for "WATCHDOG=1" (sd_watchdog_enabled(3));
/// nullopt if it does not wait for it. The variables are removed from the environment.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period();

/// The listening sockets handed over by systemd (sd_listen_fds(3)), close-on-exec. LISTEN_FDS and
/// LISTEN_PID are removed from the environment.
[[nodiscard]] std::vector<UniqueFd> inherited_sockets();

}  // namespace vpnrun::service
