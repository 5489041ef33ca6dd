// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// The companion's pulse: tells systemd's watchdog that the event loop runs (WATCHDOG_USEC, see
/// sd_watchdog_enabled(3)), and notices that the machine was asleep.
///
/// After a sleep a tunnel looks alive until its client has waited for the server in vain, for a
/// minute or two. The pulse is a timer of CLOCK_BOOTTIME: it is due at once after a sleep, and the
/// clocks tell how long that was (CLOCK_MONOTONIC stood still, clock_gettime(2)). This needs no bus
/// and no daemon.
class Heartbeat {
 public:
  using OnWake = std::function<void(std::chrono::seconds asleep)>;

  /// Beats from now on, three times in each period of the watchdog, or every kPulse without one.
  /// Calls back after each sleep of kNap or more. Throws Error (timerfd_create(2)).
  Heartbeat(EventLoop& loop, OnWake on_wake);

  static constexpr std::chrono::seconds kPulse{15};
  /// A server does not notice a shorter sleep: its keep-alive waits longer.
  static constexpr std::chrono::seconds kNap{10};

 private:
  void beat();

  OnWake on_wake_;
  std::chrono::nanoseconds asleep_;  ///< since the machine was booted
  bool watched_;
  UniqueFd timer_;
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
