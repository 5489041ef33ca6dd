// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>

#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Tells when nobody has used a profile for a while ([tunnel] idle_stop).
///
/// It looks a few times in that period: something that began and ended between two looks goes
/// unnoticed, and the period may be longer than it was set by one look at most.
class IdleWatch {
 public:
  /// `is_used` is called at each look; `on_idle` is called whenever it has said no for `limit` (1 s
  /// or more). Whatever they throw leaves the loop.
  IdleWatch(EventLoop& loop, std::chrono::seconds limit, std::function<bool()> is_used,
            std::function<void()> on_idle);

 private:
  void look();

  EventLoop& loop_;
  std::chrono::seconds limit_;
  std::function<bool()> is_used_;
  std::function<void()> on_idle_;
  EventLoop::Clock::time_point unused_since_;
  EventLoop::Handle timer_;
};

/// Whether a process is in the network namespace `netns`, children of the caller (the VPN client
/// and hooks) not counted. Reads /proc, whatever user the process has: needs CAP_SYS_PTRACE
/// (namespaces(7)). True as well if /proc cannot be read: nobody is to lose a tunnel because of
/// that.
[[nodiscard]] bool is_inhabited(int netns);

}  // namespace vpnrun::service
