// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "profiles/protocol/status.h"
#include "systemd/service/hook_queue.h"
#include "systemd/service/link/link.h"
#include "systemd/service/namespace.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// What the administrator wants done when the tunnel comes and goes. Nothing depends on it.
class Hooks {
 public:
  Hooks() = default;
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;
  Hooks(Hooks&&) = delete;
  Hooks& operator=(Hooks&&) = delete;
  virtual ~Hooks() = default;

  /// The tunnel has come up, with these hooks. `environment`: NAME=VALUE.
  virtual void up(const profile::Hooks& hooks, std::vector<std::string> environment) = 0;
  /// It is no longer up.
  virtual void down() = 0;
};

/// The variables of a connection's hooks; vpnrun-profile(5) states them. `link`: nullopt if nothing
/// of the link is inside.
[[nodiscard]] std::vector<std::string> hook_environment(const Status& status,
                                                        const std::optional<LinkAddresses>& link);

/// Runs the administrator's commands (/bin/sh -c, as root) one after the other without holding up
/// the companion. A failure is a warning, and one that does not end within kPatience is killed,
/// with what it has started in its process group. Which commands, and in which order: HookQueue.
class ShellHooks : public Hooks {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// The namespaces are borrowed: commands that run inside join the profile's own, the others join
  /// the host's mount namespace; what a unit hides from the companion is not hidden from the
  /// administrator's commands.
  ShellHooks(EventLoop& loop, const PreparedNamespaces& namespaces)
      : loop_(loop), namespaces_(namespaces) {}

  void up(const profile::Hooks& hooks, std::vector<std::string> environment) override;
  void down() override;
  /// For the companion's own end, blocking: what is queued is run, all of it within `limit`. Each
  /// command is killed after its share of the remaining time, so that one that hangs does not take
  /// the others' turn. systemd's watchdog is kept informed meanwhile.
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
