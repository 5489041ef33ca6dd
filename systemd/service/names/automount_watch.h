// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Calls back when an automounter with an indirect map has come or gone on the host: the view is to
/// cover its folder (covered_folders.h). Whatever else is mounted and unmounted there, and however
/// often, the table is looked through ten times a second at most. See proc_pid_mountinfo(5).
class AutomountWatch {
 public:
  /// Throws Error.
  AutomountWatch(EventLoop& loop, std::function<void()> on_change);

 private:
  void listen();
  void look();

  EventLoop& loop_;
  std::function<void()> on_change_;
  UniqueFd table_;
  std::vector<std::uint64_t> known_;  ///< their mounts
  EventLoop::Handle watch_;
  EventLoop::Handle pause_;
};

}  // namespace vpnrun::service
