// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <exception>
#include <functional>

#include "profiles/base/error.h"
#include "systemd/service/os/log_ring.h"

namespace vpnrun::service::log {

enum class Level { kDebug, kInfo, kWarn };

/// Sets up the companion's one logger, on standard error. Under systemd (JOURNAL_STREAM is set)
/// with level prefixes <3>…<7> and no time stamps, see sd-daemon(3); otherwise "vpnrun-tunnel:
/// text". What is below `least` is not written. Levels: error: we give up; warn: we go on (",
/// ignoring"); info: a change of state that a user would ask about; debug: the rest. No secret is
/// ever passed to these functions.
void set_up(Level least);

/// What was written since set_up(), at level info and above: not what OpenVPN itself says, which is
/// written as debug at most.
[[nodiscard]] const LogRing& recent();

/// `grew` is called after a line has been added to recent(), in this process and not in those that
/// it forks; it must not log. Empty: nobody is told.
void on_line(std::function<void()> grew);

/// Writes one entry. The functions below call it; they contain nothing that takes long to compile.
void write(Level level, fmt::string_view format, fmt::format_args args);

template <class... Args>
void debug(fmt::format_string<Args...> format, const Args&... args) {
  write(Level::kDebug, format, fmt::make_format_args(args...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, const Args&... args) {
  write(Level::kInfo, format, fmt::make_format_args(args...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, const Args&... args) {
  write(Level::kWarn, format, fmt::make_format_args(args...));
}

/// Error and hint, in two lines.
void failure(const Error& error);
/// For failures of clean-up, or of an attempt, that do not affect the outcome: "…, ignoring", and
/// the hint of an Error.
void ignored(const std::exception& error) noexcept;

}  // namespace vpnrun::service::log
