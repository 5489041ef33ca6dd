// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "helper/base/unique_fd.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Asks a program of its own what this process must not find out by itself: who answers may hang,
/// and loads modules that would stay (nsswitch.conf(5)). The program has no capability, none of our
/// descriptors or memory, and a pid namespace of its own; it ends with this process.
class Inquiry {
 public:
  struct Question {
    std::string command;               ///< the program's only argument
    std::string input;                 ///< its standard input: not an argument, which all can read
    std::chrono::seconds patience{0};  ///< after which it is killed
    /// Whom it becomes. nullopt: it stays root, without capabilities.
    std::optional<Account> account;
  };
  /// The lines that it wrote, up to kTextMax bytes, once it has ended or was killed. A last one
  /// without its end is left out: half an address is another address.
  using Callback = std::function<void(const std::string& text)>;
  static constexpr std::size_t kTextMax = 1U << 19U;  ///< 1024 servers with long names

  explicit Inquiry(EventLoop& loop, std::string program = "/proc/self/exe")
      : loop_(loop), program_(std::move(program)) {}
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;
  Inquiry(Inquiry&&) = delete;
  Inquiry& operator=(Inquiry&&) = delete;
  ~Inquiry() { cancel(); }

  /// Calls back once, never from within this call. A question under way is given up. Throws Error,
  /// with no child left.
  void ask(const Question& question, Callback callback);
  void cancel() noexcept;

 private:
  void receive();

  EventLoop& loop_;
  std::string program_;
  Callback callback_;
  std::string text_;
  UniqueFd output_;
  Pidfd child_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

}  // namespace vpnrun::service
