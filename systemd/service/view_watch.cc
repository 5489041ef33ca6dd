// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/view_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "profiles/error.h"

namespace vpnrun::service {

ViewWatch::ViewWatch(EventLoop& loop, std::vector<std::string> folders,
                     std::function<void()> on_change)
    : folders_(std::move(folders)),
      on_change_(std::move(on_change)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_.ok()) {
    throw_errno("cannot watch files");
  }
  add_watches();
  watch_ = loop.watch(inotify_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
}

void ViewWatch::add_watches() {
  for (const auto& folder : folders_) {
    // IN_CLOSE_WRITE: nsswitch.conf rewritten in place. One that is absent has nothing to watch in
    // it; one that is watched already stays so.
    if (::inotify_add_watch(inotify_.get(), folder.c_str(),
                            IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                                IN_ONLYDIR) < 0 &&
        errno != ENOENT && errno != ENOTDIR) {
      throw_errno("cannot watch '{}'", folder);
    }
  }
}

void ViewWatch::receive() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
    any = true;
  }
  if (any) {
    add_watches();
    on_change_();
  }
}

}  // namespace vpnrun::service
