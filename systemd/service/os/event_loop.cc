// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/event_loop.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.ok()) {
    throw_errno("cannot create an event loop");
  }
}

Timers::Handle EventLoop::watch(int fd, std::uint32_t events, FdCallback callback) {
  const std::uint64_t id = next_id_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw_errno("cannot watch a descriptor");
  }
  watches_.emplace(id, Watch{fd, std::make_shared<FdCallback>(std::move(callback))});
  return handle(id);
}

Timers::Handle EventLoop::after(std::chrono::milliseconds delay, TimerCallback callback) {
  const std::uint64_t id = next_id_++;
  timers_.emplace(
      id, Timer{Clock::now() + delay, std::make_shared<TimerCallback>(std::move(callback))});
  return handle(id);
}

void EventLoop::remove(std::uint64_t id) noexcept {
  if (const auto watch = watches_.find(id); watch != watches_.end()) {
    // Fails only if the owner closed the descriptor first; then the kernel has removed it already.
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch->second.fd, nullptr);
    watches_.erase(watch);
    return;
  }
  timers_.erase(id);
}

int EventLoop::next_timeout() const {
  if (timers_.empty()) {
    return -1;
  }
  const auto first =
      std::min_element(timers_.begin(), timers_.end(),
                       [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->second.due - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

void EventLoop::run_due_timers() {
  const auto now = Clock::now();
  std::vector<std::uint64_t> due;
  for (const auto& [id, timer] : timers_) {
    if (timer.due <= now) {
      due.push_back(id);
    }
  }
  for (const std::uint64_t id : due) {
    const auto timer = timers_.find(id);
    if (timer == timers_.end()) {
      continue;  // removed by an earlier callback
    }
    const auto callback = timer->second.callback;
    timers_.erase(timer);
    (*callback)();
  }
}

void EventLoop::run() {
  stopped_ = false;
  while (!stopped_) {
    std::array<epoll_event, 16> events{};
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), next_timeout());
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot wait for events");
    }
    for (int i = 0; i < count && !stopped_; ++i) {
      const auto& event = events.at(static_cast<std::size_t>(i));
      const std::uint64_t id = event.data.u64;  // a copy: find() takes a reference
      const auto watch = watches_.find(id);
      if (watch != watches_.end()) {  // an earlier callback of this round may have removed it
        const auto callback = watch->second.callback;
        (*callback)(event.events);
      }
    }
    if (!stopped_) {
      run_due_timers();
    }
  }
}

}  // namespace vpnrun::service
