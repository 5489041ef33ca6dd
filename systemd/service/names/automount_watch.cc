// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/automount_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "profiles/base/error.h"
#include "systemd/service/os/mount_table.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};

std::vector<std::uint64_t> automounts() {
  std::vector<std::uint64_t> found;
  for (const Mount& mount : mounts_of_type("autofs")) {
    if (is_indirect_automount(mount)) {
      found.push_back(mount.id);
    }
  }
  return found;
}

}  // namespace

// The table is opened before it is read: changes from then on are reported.
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

/// Pauses before each look: the table of a machine with many mounts is long, and each companion
/// looks through it.
void AutomountWatch::listen() {
  watch_ = loop_.watch(table_.get(), EPOLLPRI, [this](std::uint32_t) {
    watch_.reset();
    const bool quiet = EventLoop::Clock::now() - looked_ >= 2 * pause_;
    pause_ = quiet ? kFirstPause : std::min(2 * pause_, kLongestPause);
    pausing_ = loop_.after(pause_, [this] { look(); });
  });
}

void AutomountWatch::look() {
  listen();
  std::vector<std::uint64_t> now = automounts();
  looked_ = EventLoop::Clock::now();
  if (now != known_) {
    known_ = std::move(now);
    on_change_();
  }
}

}  // namespace vpnrun::service
