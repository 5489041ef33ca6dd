// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "systemd/service/child.h"
#include "systemd/service/event_loop.h"

namespace vpnrun::service {

/// Runs the administrator's commands (/bin/sh -c, as root) one after the other without holding up
/// the companion. Nothing depends on them: a failure is a warning, and one that does not end within
/// kPatience is killed.
class Hooks {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// The descriptors are borrowed: the profile's namespaces, joined for commands that run inside.
  Hooks(EventLoop& loop, int netns_fd, int view_fd)
      : loop_(loop), netns_fd_(netns_fd), view_fd_(view_fd) {}

  enum class Place : std::uint8_t { kOutside, kInside };
  void run(const std::vector<std::string>& commands, Place place,
           const std::vector<std::string>& environment);
  /// Runs what is queued to its end, blocking; for the companion's own end.
  void finish();

 private:
  struct Job {
    std::string command;
    Place place;
    std::vector<std::string> environment;
  };

  void next();
  void ended();

  EventLoop& loop_;
  int netns_fd_;
  int view_fd_;
  std::deque<Job> queue_;
  Pidfd process_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

}  // namespace vpnrun::service
