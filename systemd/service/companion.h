// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "helper/base/unique_fd.h"
#include "systemd/service/ask_password.h"
#include "systemd/service/control_server.h"
#include "systemd/service/idle_watch.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/heartbeat.h"
#include "systemd/service/runtime_dir.h"
#include "systemd/service/session.h"

namespace vpnrun::service {

/// The companion of one profile as a whole: its session, its control socket, what systemd and
/// signals ask of it, and when it is time to go.
class Companion {
 public:
  /// Takes the profile's run lock and blocks SIGTERM, SIGINT and SIGHUP. `listener` is a control
  /// socket that systemd made, or invalid: one is made then. Throws Error.
  Companion(const std::string& profile_name, const Session::Loader& load, UniqueFd listener);
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;
  Companion(Companion&&) = delete;
  Companion& operator=(Companion&&) = delete;
  ~Companion() = default;

  /// Until a signal, a failure for good, or idleness ends it. Returns an exit code of commands.h.
  [[nodiscard]] int run();

 private:
  void publish(const Status& status);
  void follow_question();
  Reply carry_out(const Request& request);
  void restart();
  void on_signal();
  void watch_idleness();
  void on_idle();
  void look_again();
  [[nodiscard]] bool is_used() const;

  RunLock lock_;
  UniqueFd signals_;
  EventLoop loop_;
  bool restarting_ = false;
  bool activated_;  ///< systemd listens for us, also when we are gone
  AskPassword agents_;
  std::unique_ptr<ControlServer> control_;
  Session session_;
  AliveMark alive_;  ///< once the session has found the profile prepared
  Heartbeat heartbeat_;
  std::unique_ptr<IdleWatch> idle_;
  EventLoop::Handle last_look_;
  EventLoop::Handle signal_watch_;
};

/// One line for `systemctl status`.
[[nodiscard]] std::string summary(const Status& status);

}  // namespace vpnrun::service
