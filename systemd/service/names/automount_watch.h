// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Calls back when an automounter with an indirect map has come or gone on the host: the view must
/// cover its folder (covered_folders.h). The call comes a tenth of a second later; while other
/// mounts keep changing, this pause grows to kLongestPause. See proc_pid_mountinfo(5).
class AutomountWatch {
 public:
  /// Throws Error.
  AutomountWatch(EventLoop& loop, std::function<void()> on_change);

  static constexpr std::chrono::milliseconds kLongestPause{10'000};

 private:
  void listen();
  void look();

  EventLoop& loop_;
  std::function<void()> on_change_;
  UniqueFd table_;
  std::vector<std::uint64_t> known_;  ///< mount ids of the automounters
  EventLoop::Handle watch_;
  EventLoop::Handle pausing_;
  std::chrono::milliseconds pause_{0};
  EventLoop::Clock::time_point looked_;
};

}  // namespace vpnrun::service
