// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>

#include "systemd/service/os/timers.h"

namespace vpnrun::service {

/// A clock that a test sets: what is due is called by advance(), and by nothing else. A timer's
/// handle keeps to the rules of EventLoop's.
class TestClock : public Timers {
 public:
  /// A callback that asks for the next turn each time is a loop without end: advance() throws.
  static constexpr int kCallsMax = 100'000;

  [[nodiscard]] Clock::time_point now() const noexcept override { return now_; }

  [[nodiscard]] Handle after(std::chrono::milliseconds delay, TimerCallback callback) override {
    const std::uint64_t id = next_id_++;
    timers_[id] = {now_ + delay, std::move(callback)};
    return handle(id);
  }

  /// Lets time pass. What becomes due is called in the order of its time, then of its making; it
  /// sees the time at which it is due. With 0, what is due now.
  void advance(std::chrono::milliseconds by) {
    const Clock::time_point end = now_ + by;
    int calls = 0;
    for (auto next = first_due(end); next != timers_.end(); next = first_due(end)) {
      if (++calls > kCallsMax) {
        throw std::logic_error("timers without end");
      }
      now_ = std::max(now_, next->second.due);
      const TimerCallback callback = std::move(next->second.callback);
      timers_.erase(next);
      callback();
    }
    now_ = end;
  }

  /// The next turn of the loop.
  void turn() { advance(std::chrono::milliseconds(0)); }

  /// How many timers run.
  [[nodiscard]] std::size_t pending() const noexcept { return timers_.size(); }

 private:
  struct Timer {
    Clock::time_point due;
    TimerCallback callback;
  };

  void remove(std::uint64_t id) noexcept override { timers_.erase(id); }

  [[nodiscard]] std::map<std::uint64_t, Timer>::iterator first_due(Clock::time_point end) {
    auto first = timers_.end();
    for (auto timer = timers_.begin(); timer != timers_.end(); ++timer) {
      if (timer->second.due <= end &&
          (first == timers_.end() || timer->second.due < first->second.due)) {
        first = timer;
      }
    }
    return first;
  }

  Clock::time_point now_{std::chrono::hours(1)};
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Timer> timers_;
};

}  // namespace vpnrun::service
