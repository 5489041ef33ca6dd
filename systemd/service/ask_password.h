// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/programs.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Puts questions to systemd's password agents (plymouth, a message to the terminals, the tool
/// systemd-tty-ask-password-agent, the agent of a desktop) while no caller that could ask a person
/// is connected.
///
/// Each part of a question, such as the password, is asked by a systemd-ask-password(1) process of
/// its own, one after the other; what was typed is its standard output. The process is ended, and
/// the agents' prompts disappear with it, as soon as a caller can ask instead or the question is
/// withdrawn. A person who declines is not asked the same question again. On a machine without
/// agents nothing happens.
class AskPassword {
 public:
  /// Takes a complete answer. Throws Error if it cannot be used: the question is then asked again
  /// from the beginning.
  using Answered = std::function<void(const ControlRequest&)>;

  /// `program` must be an absolute path; `folder` is where agents look for questions.
  AskPassword(EventLoop& loop, std::string profile_name, Answered answered,
              std::string program = kSystemdAskPassword, std::string folder = kPasswordAgents);
  AskPassword(const AskPassword&) = delete;
  AskPassword& operator=(const AskPassword&) = delete;
  AskPassword(AskPassword&&) = delete;
  AskPassword& operator=(AskPassword&&) = delete;
  ~AskPassword() {
    stop();
    end_all();
  }

  /// Sets the open question, if any, and whether a caller that asks a person itself is connected.
  /// To be called whenever either changes; errors are logged.
  void follow(const std::optional<CredentialQuestion>& question, bool somebody_asks);

 private:
  /// One prompt, and where the typed text goes.
  struct Part {
    std::string message;
    bool echo = false;
    Secret ControlRequest::*field = nullptr;
  };

  /// A process that was told to end.
  struct Ending {
    Pidfd process;
    EventLoop::Handle watch;
    EventLoop::Handle limit;
  };

  void begin();
  void ask_next();
  void on_exit();
  void take(int status);
  void stop() noexcept;
  void end_process() noexcept;
  void end_all() noexcept;
  static void reap(const Pidfd& process) noexcept;
  void forget() noexcept;
  [[nodiscard]] std::vector<Part> parts_of(const CredentialQuestion& question) const;

  EventLoop& loop_;
  std::string profile_name_;
  Answered answered_;
  std::string program_;
  std::string folder_;

  std::optional<CredentialQuestion> question_;  ///< asked of the agents, or about to be
  std::uint64_t declined_ = 0;                  ///< the id of a question that is not asked again
  std::vector<Part> parts_;
  std::size_t next_part_ = 0;
  ControlRequest answer_;
  Pidfd process_;
  UniqueFd output_;
  EventLoop::Handle exit_watch_;
  EventLoop::Handle delay_;
  std::list<Ending> endings_;
};

}  // namespace vpnrun::service
