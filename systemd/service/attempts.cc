// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/attempts.h"

#include <algorithm>
#include <utility>

namespace vpnrun::service {
namespace {

Attempts::milliseconds back_off(unsigned failures) {
  const unsigned doublings = std::min(failures, 16U);
  return std::min(Attempts::kFirstRetry * (1U << doublings), Attempts::kLastRetry);
}

}  // namespace

Attempts::Next Attempts::plan(milliseconds retry) noexcept {
  planned_ = true;
  return {state_, retry, false};
}

std::optional<Attempts::Next> Attempts::up(Clock::time_point now) noexcept {
  if (state_ == State::kDown || state_ == State::kFailed) {
    forget();
    state_ = State::kStarting;
  } else if (!planned_) {
    return std::nullopt;
  }
  // Somebody is waiting, so do not wait for the rest of the back-off; but do not start an attempt
  // for each order either.
  return plan(asked(now));
}

Attempts::Next Attempts::down() noexcept {
  state_ = State::kDown;
  planned_ = false;
  connected_.reset();
  return {state_, std::nullopt, false};
}

void Attempts::begin(Clock::time_point now) noexcept {
  begun_ = now;
  planned_ = false;
  connected_.reset();
}

Attempts::Next Attempts::connected(Clock::time_point now) noexcept {
  connected_ = now;
  was_up_ = true;
  state_ = State::kUp;
  return {state_, std::nullopt, false};
}

Attempts::Next Attempts::ended(const Failure& failure, Clock::time_point now) noexcept {
  const auto since = std::exchange(connected_, std::nullopt);
  if (since && now - *since >= kSettled) {
    forget();
  }
  if (is_passing(failure)) {
    state_ = state_ == State::kUp ? State::kReconnecting : state_;
    const bool is_challenge = failure.kind == Failure::Kind::kChallenge;
    const milliseconds asked_for = std::min<milliseconds>(failure.retry_after, kLastAskedFor);
    milliseconds pause = kFirstRetry;
    if (failure.is_own) {
      pause = std::min(back_off(own_failures_++), kLastOwn);
    } else if (!is_challenge) {
      pause = back_off(failures_++);
    }
    if (failure.retry_within.count() != 0) {
      pause = std::min<milliseconds>(pause, failure.retry_within);
    }
    return plan(std::max(pause, asked_for));
  }
  state_ = State::kFailed;
  planned_ = failure.kind == Failure::Kind::kPersistent;
  return {state_, planned_ ? std::optional(kLastRetry) : std::nullopt,
          !was_up_ && failure.kind > Failure::Kind::kAnswer};
}

std::optional<Attempts::Next> Attempts::retry_soon(Clock::time_point now) noexcept {
  if (!planned_) {
    return std::nullopt;
  }
  // Do not wait for the rest of a back-off that grew long while a cable was unplugged for an hour.
  forget();
  return plan(std::max(kFirstRetry, asked(now)));
}

Attempts::Next Attempts::unusable() noexcept {
  (void)down();
  state_ = State::kFailed;
  return {state_, std::nullopt, false};
}

Attempts::milliseconds Attempts::asked(Clock::time_point now) const noexcept {
  if (!begun_ || now - *begun_ >= kAsked) {
    return milliseconds(0);
  }
  return std::chrono::ceil<milliseconds>(kAsked - (now - *begun_));
}

}  // namespace vpnrun::service
