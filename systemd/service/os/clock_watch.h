// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Tells when the machine's clock (CLOCK_REALTIME) has been set: by a time server, after a boot
/// without a clock of its own, or by a person. Certificates that were not valid may be from then
/// on. A clock that is only made to run faster or slower is not set.
class ClockWatch {
 public:
  using OnSet = std::function<void()>;

  /// Throws Error (timerfd_create(2)).
  ClockWatch(EventLoop& loop, OnSet on_set);

 private:
  void arm();
  void look();

  OnSet on_set_;
  UniqueFd timer_;
  EventLoop::Handle watch_;
};

}  // namespace vpnrun::service
