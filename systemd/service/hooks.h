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

/// What the administrator wants done when the tunnel comes up or goes down. Nothing depends on it.
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

/// The environment variables of a connection's hooks, documented in vpnrun-profile(5). `link`:
/// nullopt if the link has no end inside the namespace.
[[nodiscard]] std::vector<std::string> hook_environment(const Status& status,
                                                        const std::optional<LinkAddresses>& link);

/// Runs the administrator's commands (/bin/sh -c, as root) one after the other without holding up
/// the companion. A failure causes a warning. A command that does not end within kPatience is
/// killed, with what it has started in its process group. HookQueue decides which commands run, and
/// in which order.
class ShellHooks : public Hooks {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// The namespaces are borrowed: commands that run inside join the profile's own, the others join
  /// the host's mount namespace, so that what systemd hides from the companion's unit is not hidden
  /// from them.
  ShellHooks(EventLoop& loop, const PreparedNamespaces& namespaces)
      : loop_(loop), namespaces_(namespaces) {}

  void up(const profile::Hooks& hooks, std::vector<std::string> environment) override;
  void down() override;
  /// For the end of the companion: runs what is queued, all of it within `limit`, and blocks until
  /// then. Each command is killed after its share of the remaining time, so that one that hangs
  /// does not keep the others from running. systemd's watchdog is notified meanwhile.
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
