// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/access.h"
#include "systemd/service/ask_password.h"
#include "systemd/service/control_server.h"
#include "systemd/service/idle_watch.h"
#include "systemd/service/link/resolver.h"
#include "systemd/service/names/view_keeper.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/clock_watch.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/heartbeat.h"
#include "systemd/service/runtime_dir.h"
#include "systemd/service/session.h"
#include "systemd/service/status_board.h"
#include "systemd/service/udev_bridge.h"

namespace vpnrun::service {

/// The companion of one profile as a whole: its session, its control socket, how it responds to
/// systemd and to signals, and when it ends.
class Companion {
 public:
  /// Takes the profile's run lock and blocks SIGTERM, SIGINT and SIGHUP. `listener` is a control
  /// socket that systemd made; if it is invalid, one is made. Throws Error.
  Companion(const std::string& profile_name, std::function<Configuration()> load,
            UniqueFd listener);
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;
  Companion(Companion&&) = delete;
  Companion& operator=(Companion&&) = delete;
  /// Leaves the profile offline and sealed. Remaining hooks run within kHooksAtEnd, blocking.
  ~Companion();

  /// The time that all hooks have together when the companion ends.
  static constexpr std::chrono::seconds kHooksAtEnd{30};

  /// Runs until a signal, a final failure or idleness ends it. Returns an exit code of commands.h.
  [[nodiscard]] int run();

  /// After run(): why the first connection failed for good, and what it was configured with.
  /// nullopt: it did not, or nobody had called, so that nobody is likely to call again at once.
  struct Refusal {
    Failure failure;
    std::vector<FileMark> files;
  };
  [[nodiscard]] std::optional<Refusal> refusal() const;

 private:
  [[nodiscard]] Surroundings surroundings(std::function<Configuration()> load);
  void publish(const Status& status);
  void follow_question();
  ControlReply carry_out(const ControlRequest& request);
  void order(const std::function<void()>& carry_out, const char* verb);
  void up();
  void restart();
  void apply_access();
  void on_signal();
  void bridge_udev() noexcept;
  void watch_idleness();
  void on_idle();
  void look_again();
  [[nodiscard]] bool is_used() const;

  RunLock lock_;
  UniqueFd signals_;
  EventLoop loop_;
  bool restarting_ = false;
  bool was_called_ = false;
  bool activated_;  ///< systemd listens for us, even after we have ended
  PreparedNamespaces namespaces_;
  Netns host_;
  Netns inside_;
  AliveMark alive_;
  Account client_account_;
  AskPassword agents_;
  std::unique_ptr<ControlServer> control_;
  ViewKeeper view_;
  std::optional<UdevBridge> udev_;  ///< none where the kernel refuses it
  Resolver resolver_;
  ShellHooks hooks_;
  StatusFiles files_;
  StatusBoard board_;
  std::unique_ptr<Session> session_;
  AccessKeeper access_;
  Heartbeat heartbeat_;
  ClockWatch clock_;
  std::unique_ptr<IdleWatch> idle_;
  EventLoop::Handle last_look_;
  EventLoop::Handle signal_watch_;
};

/// One line for `systemctl status`.
[[nodiscard]] std::string summary(const Status& status);

}  // namespace vpnrun::service
