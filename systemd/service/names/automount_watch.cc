// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/automount_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/os/mount_table.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::milliseconds kSettled{100};

std::vector<std::uint64_t> automounts() {
  std::vector<std::uint64_t> found;
  for (const Mount& mount : mount_table()) {
    if (is_indirect_automount(mount)) {
      found.push_back(mount.id);
    }
  }
  return found;
}

}  // namespace

// Opened before it is looked through: what changes from then on is told.
AutomountWatch::AutomountWatch(EventLoop& loop, std::function<void()> on_change)
    : loop_(loop),
      on_change_(std::move(on_change)),
      table_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {
  if (!table_.ok()) {
    throw_errno("cannot watch mounts");
  }
  known_ = automounts();
  listen();
}

void AutomountWatch::listen() {
  watch_ = loop_.watch(table_.get(), EPOLLPRI, [this](std::uint32_t) {
    watch_.reset();
    pause_ = loop_.after(kSettled, [this] { look(); });
  });
}

void AutomountWatch::look() {
  listen();
  std::vector<std::uint64_t> now = automounts();
  if (now != known_) {
    known_ = std::move(now);
    on_change_();
  }
}

}  // namespace vpnrun::service
