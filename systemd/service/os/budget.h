// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>

namespace vpnrun::service {

/// Limits what somebody may cost: to a share of a core over time, with a reserve for bursts. Pure.
class Budget {
 public:
  using Clock = std::chrono::steady_clock;
  using Cost = std::chrono::nanoseconds;

  /// Allows one `part`th of the time; what is not spent accumulates up to `store`.
  constexpr Budget(int part, Cost store) noexcept : part_(part), store_(store) {}

  /// Records what was spent. A debt is at most kLongestWait: nobody is shut out for long.
  void charge(Clock::time_point now, Cost cost) noexcept;
  /// How long until something may be spent again; zero: now.
  [[nodiscard]] Cost wait(Clock::time_point now) const noexcept;
  /// Whether all that was spent has been made up for.
  [[nodiscard]] bool is_full(Clock::time_point now) const noexcept;

  static constexpr std::chrono::seconds kLongestWait{5};

 private:
  int part_;
  Cost store_;
  Clock::time_point spent_until_{};  ///< all time up to here is used up
};

/// The processor time that the calling thread has used, clock_gettime(2).
[[nodiscard]] Budget::Cost thread_time() noexcept;

}  // namespace vpnrun::service
