// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "systemd/service/child.h"
#include "systemd/service/event_loop.h"
#include "systemd/service/namespace.h"

namespace vpnrun::service {

/// Runs the administrator's commands (/bin/sh -c, as root) one after the other without holding up
/// the companion. Nothing depends on them: a failure is a warning, and one that does not end within
/// kPatience is killed.
class Hooks {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// The namespaces are borrowed: the profile's own are joined for commands that run inside, the
  /// host's mount namespace for the others; what a unit hides from the companion it does not hide
  /// from the administrator's commands.
  Hooks(EventLoop& loop, const PreparedNamespaces& namespaces)
      : loop_(loop), namespaces_(namespaces) {}

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
  const PreparedNamespaces& namespaces_;
  std::deque<Job> queue_;
  Pidfd process_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

}  // namespace vpnrun::service
