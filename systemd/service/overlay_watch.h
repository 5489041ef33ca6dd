// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "helper/base/unique_fd.h"
#include "systemd/service/event_loop.h"

namespace vpnrun::service {

/// Calls back when something on the host changed on which the view's overlays depend: a file of
/// /etc was replaced, a resolver's runtime folder was made anew. See inotify(7).
class OverlayWatch {
 public:
  /// Throws Error.
  OverlayWatch(EventLoop& loop, std::function<void()> on_change);

 private:
  void receive();

  std::function<void()> on_change_;
  UniqueFd inotify_;
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
