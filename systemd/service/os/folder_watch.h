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

/// Says that something happened in one of some folders, not what: who wants to know compares.
///
/// By dnotify (F_NOTIFY in fcntl(2)) and not by inotify(7), whose instances are counted for each
/// user, 128 by default: all companions are root's, and so are the machine's daemons, which would
/// get none of what a hundred companions have taken. SIGIO is blocked from the first one on and
/// stays so; children that execute a program begin without blocked signals (child.h). One at a time
/// in a process.
///
/// A kernel may be without it (CONFIG_DNOTIFY, fs.dir-notify-enable), or refuse it: from then on
/// there is a call each kPace, and the log says so once.
class FolderWatch {
 public:
  /// Throws Error (signalfd(2)).
  FolderWatch(EventLoop& loop, std::function<void()> on_news);

  /// From now on also tells of `events` (DN_…) in the folder at `path`: the one that is there now,
  /// in place of another one that was there at the last call. Nothing if there is none. The folder
  /// stays open, so that its file system is busy for umount(2).
  void watch(const std::string& path, std::uint32_t events);

  /// How often there is a call where the kernel tells nothing.
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
