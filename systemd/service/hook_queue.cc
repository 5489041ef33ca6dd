// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/hook_queue.h"

#include <utility>

namespace vpnrun::service {

HookQueue::Connection HookQueue::connection(const profile::Hooks& hooks) {
  Connection made;
  const auto add = [](const std::vector<std::string>& commands, Place place,
                      std::deque<Step>& steps) {
    for (const auto& command : commands) {
      steps.push_back({command, place});
    }
  };
  add(hooks.up_outside, Place::kOutside, made.ups);
  add(hooks.up_inside, Place::kInside, made.ups);
  add(hooks.down_inside, Place::kInside, made.downs);
  add(hooks.down_outside, Place::kOutside, made.downs);
  return made;
}

void HookQueue::up(const profile::Hooks& hooks, std::vector<std::string> environment) {
  down();
  waiting_ = connection(hooks);
  waiting_->environment = std::move(environment);
}

void HookQueue::down() {
  if (waiting_) {
    waiting_.reset();  // its up hooks have not begun: neither they nor its down hooks run
  } else if (begun_) {
    begun_->ended = true;
    begun_->ups.clear();
  }
}

std::optional<HookQueue::Job> HookQueue::next() {
  for (;;) {
    if (!begun_) {
      if (!waiting_) {
        return std::nullopt;
      }
      begun_ = std::exchange(waiting_, std::nullopt);
    }
    if (begun_->ups.empty() && !begun_->ended) {
      return std::nullopt;
    }
    auto& steps = begun_->ended ? begun_->downs : begun_->ups;
    if (!steps.empty()) {
      Job job{std::move(steps.front().command), steps.front().place, begun_->environment};
      steps.pop_front();
      return job;
    }
    begun_.reset();
  }
}

std::size_t HookQueue::left() const noexcept {
  return (begun_ ? begun_->ups.size() + begun_->downs.size() : 0) +
         (waiting_ ? waiting_->ups.size() + waiting_->downs.size() : 0);
}

}  // namespace vpnrun::service
