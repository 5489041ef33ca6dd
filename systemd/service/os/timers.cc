// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/timers.h"

#include <utility>

namespace vpnrun::service {

Timers::Handle::Handle(Handle&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), id_(std::exchange(other.id_, 0)) {}

Timers::Handle& Timers::Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    owner_ = std::exchange(other.owner_, nullptr);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void Timers::Handle::reset() noexcept {
  if (owner_ != nullptr) {
    std::exchange(owner_, nullptr)->remove(id_);
  }
}

}  // namespace vpnrun::service
