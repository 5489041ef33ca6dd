// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/timers.h"

namespace vpnrun::service {

/// One thread, one epoll(7) set: everything that the companion reacts to is a descriptor or a
/// timer.
///
/// Callbacks run one at a time and may add and remove watches and timers, their own included. An
/// exception from a callback leaves run(). A small loop of our own and not sd-event, because
/// libsystemd alone adds 0.9 MiB of resident memory to a process that is to stay below 8 MiB.
class EventLoop : public Timers {
 public:
  using FdCallback = std::function<void(std::uint32_t events)>;

  /// Throws Error (epoll_create1(2)).
  EventLoop();

  [[nodiscard]] Clock::time_point now() const noexcept override { return Clock::now(); }
  /// Calls back while `fd` is ready for `events` (EPOLLIN, …). Throws Error (epoll_ctl(2)).
  [[nodiscard]] Handle watch(int fd, std::uint32_t events, FdCallback callback);
  [[nodiscard]] Handle after(std::chrono::milliseconds delay, TimerCallback callback) override;

  /// Runs until stop(). Throws Error, and whatever a callback throws.
  void run();
  void stop() noexcept { stopped_ = true; }

 private:
  struct Watch {
    int fd = -1;
    std::shared_ptr<FdCallback> callback;
  };
  struct Timer {
    Clock::time_point due;
    std::shared_ptr<TimerCallback> callback;
  };

  void remove(std::uint64_t id) noexcept override;
  [[nodiscard]] int next_timeout() const;
  void run_due_timers();

  UniqueFd epoll_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Watch> watches_;
  std::map<std::uint64_t, Timer> timers_;
  bool stopped_ = false;
};

}  // namespace vpnrun::service
