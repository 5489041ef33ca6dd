// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Reports that something has changed in one of several folders, but not what: the receiver has to
/// compare.
///
/// Uses dnotify (F_NOTIFY in fcntl(2)) and not inotify(7), whose instances are limited for each
/// user, to 128 by default: all companions run as root, as do the machine's daemons, for which a
/// hundred companions would leave none. SIGIO is blocked from the first one of these on and stays
/// so; children that execute a program begin without blocked signals (child.h). At most one in a
/// process at a time.
///
/// A kernel may lack it (CONFIG_DNOTIFY, fs.dir-notify-enable) or refuse it: from then on there is
/// a callback every kPace, and the log says so once.
class FolderWatch {
 public:
  /// Throws Error (signalfd(2)).
  FolderWatch(EventLoop& loop, std::function<void()> on_news);

  /// From now on also reports `events` (DN_…) in the folder that is at `path` now, and no longer in
  /// one that was there at the last call. Does nothing if there is none. The folder stays open, so
  /// that its file system is busy for umount(2).
  void watch(const std::string& path, std::uint32_t events);

  /// How often there is a callback where the kernel reports nothing.
  static constexpr std::chrono::milliseconds kPace{1'000};

 private:
  void listen();
  void pace();
  void refused(const std::string& path, int error);

  EventLoop& loop_;
  std::function<void()> on_news_;
  UniqueFd signals_;
  std::map<std::string, UniqueFd> folders_;
  bool paced_ = false;
  EventLoop::Handle watch_;
  EventLoop::Handle gathering_;
  EventLoop::Handle pace_;
};

}  // namespace vpnrun::service
