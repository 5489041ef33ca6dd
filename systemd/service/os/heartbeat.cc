// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/heartbeat.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ctime>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/os/notify.h"

namespace vpnrun::service {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

/// The watchdog is notified in time even if two beats of three are late.
constexpr int kBeatsPerPeriod = 3;

nanoseconds now(clockid_t clock) {
  timespec time{};
  (void)::clock_gettime(clock, &time);  // cannot fail: a clock that every kernel has
  return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds time_asleep() {
  return now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC);
}

}  // namespace

Heartbeat::Heartbeat(EventLoop& loop, OnWake on_wake)
    : on_wake_(std::move(on_wake)),
      asleep_(time_asleep()),
      timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  const auto period = watchdog_period();
  watched_ = period.has_value();
  const nanoseconds pulse = period ? nanoseconds(*period) / kBeatsPerPeriod : kPulse;
  itimerspec setting{};
  setting.it_interval.tv_sec = pulse / seconds(1);
  setting.it_interval.tv_nsec =
      std::chrono::duration_cast<std::chrono::duration<long, std::nano>>(pulse % seconds(1))
          .count();
  setting.it_value = setting.it_interval;
  if (!timer_.ok() || ::timerfd_settime(timer_.get(), 0, &setting, nullptr) != 0) {
    throw_errno("cannot set up a timer");
  }
  watch_ = loop.watch(timer_.get(), EPOLLIN, [this](std::uint32_t) { beat(); });
}

void Heartbeat::beat() {
  std::uint64_t missed = 0;
  if (::read(timer_.get(), &missed, sizeof missed) != static_cast<ssize_t>(sizeof missed)) {
    return;
  }
  if (watched_) {
    notify("WATCHDOG=1");
  }
  const nanoseconds asleep = time_asleep();
  const nanoseconds slept = asleep - std::exchange(asleep_, asleep);
  if (slept >= kNap) {
    on_wake_(std::chrono::round<seconds>(slept));
  }
}

}  // namespace vpnrun::service
