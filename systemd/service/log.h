// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <spdlog/spdlog.h>

#include "profiles/error.h"

namespace vpnrun::service::log {

/// Sets up the companion's one logger, on standard error. Under systemd (JOURNAL_STREAM is set)
/// with level prefixes <3>…<7> and no time stamps, see sd-daemon(3); otherwise "vpnrun-tunnel:
/// text". Levels: error: we give up; warn: we go on (", ignoring"); info: a change of state that a
/// user would ask about; debug: the rest. No secret is ever passed to these functions.
void set_up(spdlog::level::level_enum level);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::debug(format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::info(format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::warn(format, std::forward<Args>(args)...);
}

/// Error and hint, in two lines.
void failure(const Error& error);
/// For what is undone or tried and does not matter to the outcome: "…, ignoring".
void ignored(const std::exception& error) noexcept;

}  // namespace vpnrun::service::log
