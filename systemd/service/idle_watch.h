// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>

#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Reports when nobody has used a profile for a while ([tunnel] idle_stop).
///
/// It checks a few times in that period: use that began and ended between two checks goes
/// unnoticed, and the report may be late by up to the time between two checks.
class IdleWatch {
 public:
  /// `is_used` is called at each check; `on_idle` is called whenever it has returned false for
  /// `limit` (1 s or more). Exceptions that they throw leave EventLoop::run().
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

/// Whether any process is in the network namespace `netns`, other than children of this process
/// (the VPN client and hooks). Reads /proc for processes of all users, which needs CAP_SYS_PTRACE
/// (namespaces(7)). Also true if /proc cannot be read: nobody is to lose a tunnel because of that.
[[nodiscard]] bool is_inhabited(int netns);

}  // namespace vpnrun::service
