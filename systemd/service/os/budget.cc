// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/budget.h"

#include <algorithm>
#include <ctime>

namespace vpnrun::service {

void Budget::charge(Clock::time_point now, Cost cost) noexcept {
  spent_until_ = std::max(spent_until_, now - store_ * part_) + cost * part_;
  spent_until_ = std::min(spent_until_, now + kLongestWait);
}

Budget::Cost Budget::wait(Clock::time_point now) const noexcept {
  return std::max<Cost>(spent_until_ - now, Cost::zero());
}

bool Budget::is_full(Clock::time_point now) const noexcept {
  return spent_until_ <= now - store_ * part_;
}

Budget::Cost thread_time() noexcept {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vpnrun::service
