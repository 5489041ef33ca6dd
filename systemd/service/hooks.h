// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "systemd/service/hook_queue.h"
#include "systemd/service/namespace.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Runs the administrator's commands (/bin/sh -c, as root) one after the other without holding up
/// the companion. Nothing depends on them: a failure is a warning, and one that does not end within
/// kPatience is killed, with what it has started in its process group. Which commands, and in which
/// order: HookQueue.
class Hooks {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// The namespaces are borrowed: the profile's own are joined for commands that run inside, the
  /// host's mount namespace for the others; what a unit hides from the companion it does not hide
  /// from the administrator's commands.
  Hooks(EventLoop& loop, const PreparedNamespaces& namespaces)
      : loop_(loop), namespaces_(namespaces) {}

  /// The tunnel has come up, with these hooks.
  void up(const profile::Hooks& hooks, std::vector<std::string> environment);
  /// It is not up any more.
  void down();
  /// For the companion's own end, blocking: what is queued runs to its end, all of it within
  /// `limit`. Each command may take its share of what is left of that and is killed then, so that
  /// one that hangs does not take the others' turn. systemd's watchdog is told meanwhile.
  void finish(std::chrono::milliseconds limit);

 private:
  void next();
  void ended();

  EventLoop& loop_;
  const PreparedNamespaces& namespaces_;
  HookQueue queue_;
  Pidfd process_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

}  // namespace vpnrun::service
