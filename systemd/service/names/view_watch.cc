// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/view_watch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

namespace vpnrun::service {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kFirstPause{200};
/// File systems count time in ticks, of 10 ms at most: two changes within one tick cannot be told
/// apart.
constexpr std::chrono::milliseconds kTick{20};

std::uint32_t events_of(const WatchedFolder& folder) {
  // DN_MODIFY: nsswitch.conf may be rewritten in place. In /run no file's content matters, and
  // anybody can write to utmp there, through programs that are setgid for it.
  const std::uint32_t written = folder.haste == WatchedFolder::Haste::kAtOnce ? DN_MODIFY : 0U;
  return DN_CREATE | DN_DELETE | DN_RENAME | written;
}

nanoseconds time_of(const struct statx_timestamp& time) {
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds wall_clock() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

}  // namespace

ViewWatch::ViewWatch(EventLoop& loop, std::vector<WatchedFolder> folders,
                     std::function<void()> on_change)
    : loop_(loop),
      folders_(std::move(folders)),
      on_change_(std::move(on_change)),
      news_(loop, [this] { look(); }) {
  watch_folders();
}

/// Records what is there now, and watches for changes from now on.
void ViewWatch::watch_folders() {
  known_.clear();
  for (const WatchedFolder& folder : folders_) {
    news_.watch(folder.path, events_of(folder));
    known_.push_back(state_of(folder));
  }
}

/// Zeros if nothing is there. The content of a folder never counts, that of a file not with
/// kSettled.
ViewWatch::Stamp ViewWatch::stamp_of(const std::string& path, WatchedFolder::Haste haste) {
  struct statx status {};
  Stamp stamp;
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
              STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
    return stamp;
  }
  stamp.device = (static_cast<std::uint64_t>(status.stx_dev_major) << 32U) | status.stx_dev_minor;
  stamp.inode = status.stx_ino;
  stamp.type = status.stx_mode & S_IFMT;
  stamp.born = time_of(status.stx_btime);
  if (haste == WatchedFolder::Haste::kAtOnce && !S_ISDIR(status.stx_mode)) {
    stamp.changed = time_of(status.stx_ctime);
  }
  return stamp;
}

ViewWatch::Known ViewWatch::state_of(const WatchedFolder& folder) {
  Known known;
  nanoseconds newest{0};
  struct statx status {};
  if (::statx(AT_FDCWD, folder.path.c_str(), AT_NO_AUTOMOUNT, STATX_CTIME, &status) == 0) {
    known.changed = time_of(status.stx_ctime);
  }
  try {
    for (const std::string& name : folder.names()) {
      const Stamp stamp = stamp_of(folder.path + '/' + name, folder.haste);
      newest = std::max(newest, stamp.changed);
      known.entries.emplace(name, stamp);
    }
    known.certain = newest + kTick < wall_clock();
  } catch (const std::exception&) {
    known.certain = false;
  }
  return known;
}

/// What has changed while the view was renewed may be in it or not. It may also be as it was again
/// when the kernel's report of that is read, and would look as if nothing had happened.
void ViewWatch::doubt_what_changed() {
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    const Known now = state_of(folders_[i]);
    if (now.entries != known_[i].entries || now.changed != known_[i].changed) {
      known_[i].certain = false;
    }
  }
}

bool ViewWatch::is_as_known(const WatchedFolder& folder, const Known& known) {
  return known.certain && known.entries == state_of(folder).entries;
}

void ViewWatch::look() {
  bool at_once = false;
  bool settled = false;
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    if (!is_as_known(folders_[i], known_[i])) {
      const bool haste = folders_[i].haste == WatchedFolder::Haste::kAtOnce;
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
  // The next renewal that can wait is put off for longer, for as long as changes go on.
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  const auto begin = EventLoop::Clock::now();
  watch_folders();
  on_change_();
  doubt_what_changed();
  renewed_ = EventLoop::Clock::now();
  budget_.charge(renewed_, renewed_ - begin);
}

}  // namespace vpnrun::service
