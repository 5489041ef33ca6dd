// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/clock_watch.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <limits>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {

ClockWatch::ClockWatch(EventLoop& loop, OnSet on_set)
    : on_set_(std::move(on_set)),
      timer_(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (!timer_.ok()) {
    throw_errno("cannot set up a timer");
  }
  arm();
  watch_ = loop.watch(timer_.get(), EPOLLIN, [this](std::uint32_t) { look(); });
}

/// It never expires: it is only there to be cancelled.
void ClockWatch::arm() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<decltype(never.it_value.tv_sec)>::max();
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                        nullptr) != 0 &&
      errno != ECANCELED) {  // set once more in the meantime: the timer is armed, and tells it
    throw_errno("cannot set up a timer");
  }
}

void ClockWatch::look() {
  std::uint64_t expired = 0;
  const bool was_set = ::read(timer_.get(), &expired, sizeof expired) < 0 && errno == ECANCELED;
  arm();
  if (was_set) {
    on_set_();
  }
}

}  // namespace vpnrun::service
