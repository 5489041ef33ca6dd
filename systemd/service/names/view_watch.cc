// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/view_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::milliseconds kFirstPause{200};
/// News are looked at once at first, then together: each look is a wakeup, whatever it brings.
constexpr std::chrono::milliseconds kGather{10};
/// Some hundreds of events a read; what is left goes to the next turn of the loop.
constexpr std::size_t kBuffer = 16384;

std::uint32_t mask_of(const WatchedFolder& folder) {
  // IN_CLOSE_WRITE: nsswitch.conf rewritten in place. In /run nothing depends on a content, and
  // anybody can write to utmp there, by programs that are setgid for it.
  const std::uint32_t written = folder.haste == WatchedFolder::Haste::kAtOnce ? IN_CLOSE_WRITE : 0U;
  return IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR | written;
}

}  // namespace

ViewWatch::ViewWatch(EventLoop& loop, std::vector<WatchedFolder> folders,
                     std::function<void()> on_change)
    : loop_(loop),
      folders_(std::move(folders)),
      on_change_(std::move(on_change)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_.ok()) {
    throw_errno("cannot watch files");
  }
  add_watches();
  watch_news();
}

void ViewWatch::watch_news() {
  gathering_.reset();
  watch_ = loop_.watch(inotify_.get(), EPOLLIN, [this](std::uint32_t) {
    watch_.reset();
    gathering_ = loop_.after(kGather, [this] { watch_news(); });
    receive();
  });
}

void ViewWatch::add_watches() {
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    // One that is absent has nothing to watch in it; one that is watched already stays so.
    const std::string& path = folders_[i].path;
    const int descriptor = ::inotify_add_watch(inotify_.get(), path.c_str(), mask_of(folders_[i]));
    if (descriptor >= 0) {
      by_descriptor_[descriptor] = i;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      throw_errno("cannot watch '{}'", path);
    }
  }
}

void ViewWatch::receive() {
  alignas(inotify_event) std::array<char, kBuffer> buffer{};
  const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
  bool at_once = false;
  bool settled = false;
  inotify_event event{};
  for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);
       at += sizeof event + event.len) {
    std::memcpy(&event, buffer.data() + at, sizeof event);
    const auto folder = by_descriptor_.find(event.wd);
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      settled = true;  // nobody knows of what; a crowd's doing
    } else if ((event.mask & IN_IGNORED) != 0) {
      by_descriptor_.erase(event.wd);  // the folder is gone
    } else if (folder != by_descriptor_.end() && event.len > 0 &&
               // The name is padded with NULs.
               folders_[folder->second].matters(buffer.data() + at + sizeof event)) {
      const bool haste = folders_[folder->second].haste == WatchedFolder::Haste::kAtOnce;
      at_once = at_once || haste;
      settled = settled || !haste;
    }
  }
  const auto now = EventLoop::Clock::now();
  if (at_once) {
    renew_within(std::chrono::ceil<std::chrono::milliseconds>(budget_.wait(now)));
  } else if (settled) {
    const bool quiet = now - renewed_ >= std::max(2 * pause_, kFirstPause);
    pause_ = quiet ? std::chrono::milliseconds(0) : pause_;
    renew_within(pause_);
  }
}

void ViewWatch::renew_within(std::chrono::milliseconds delay) {
  const auto due = EventLoop::Clock::now() + delay;
  if (delay.count() == 0) {
    renew();
  } else if (!settling_.active() || due < due_) {
    due_ = due;
    settling_ = loop_.after(delay, [this] { renew(); });
  }
}

void ViewWatch::renew() {
  settling_.reset();
  // The next one that can wait does so for longer, until they cease.
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  const auto begin = EventLoop::Clock::now();
  add_watches();
  on_change_();
  renewed_ = EventLoop::Clock::now();
  budget_.charge(renewed_, renewed_ - begin);
}

}  // namespace vpnrun::service
