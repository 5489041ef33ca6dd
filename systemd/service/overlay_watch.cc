// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/overlay_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "profiles/error.h"
#include "systemd/service/view.h"

namespace vpnrun::service {

OverlayWatch::OverlayWatch(EventLoop& loop, std::function<void()> on_change)
    : on_change_(std::move(on_change)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_.ok()) {
    throw_errno("cannot watch files");
  }
  for (const auto& place : kWatchedPlaces) {
    // IN_CLOSE_WRITE: nsswitch.conf rewritten in place. A folder that is absent (no systemd) has
    // nothing in it to watch.
    if (::inotify_add_watch(inotify_.get(), place.folder,
                            IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                                IN_ONLYDIR) < 0 &&
        errno != ENOENT) {
      throw_errno("cannot watch '{}'", place.folder);
    }
  }
  watch_ = loop.watch(inotify_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
}

void OverlayWatch::receive() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
    any = true;
  }
  if (any) {
    on_change_();
  }
}

}  // namespace vpnrun::service
