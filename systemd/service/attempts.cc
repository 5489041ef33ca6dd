// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/attempts.h"

#include <algorithm>
#include <utility>

namespace vpnrun::service {
namespace {

std::chrono::milliseconds back_off(unsigned failures) {
  const unsigned doublings = std::min(failures, 16U);
  return std::min(Attempts::kFirstRetry * (1U << doublings), Attempts::kLastRetry);
}

}  // namespace

void Attempts::begin(Clock::time_point now) {
  begun_ = now;
  connected_.reset();
}

void Attempts::connected(Clock::time_point now) {
  connected_ = now;
}

std::chrono::milliseconds Attempts::ended(Clock::time_point now) {
  const auto since = std::exchange(connected_, std::nullopt);
  if (since && now - *since >= kSettled) {
    failures_ = 0;
  }
  return back_off(failures_++);
}

std::chrono::milliseconds Attempts::asked(Clock::time_point now) const noexcept {
  if (!begun_ || now - *begun_ >= kAsked) {
    return milliseconds(0);
  }
  return std::chrono::ceil<milliseconds>(kAsked - (now - *begun_));
}

void Attempts::forget() noexcept {
  failures_ = 0;
}

}  // namespace vpnrun::service
