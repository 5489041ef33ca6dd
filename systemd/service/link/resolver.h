// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/base/ip_address.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Looks names up outside the namespace.
class NameLookup {
 public:
  struct Result {
    std::map<std::string, std::vector<IpAddress>> addresses;  ///< by name, which may be an address
    std::map<std::string, std::string> errors;                ///< text of gai_strerror(3)
  };
  using Callback = std::function<void(const Result&)>;

  NameLookup() = default;
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;
  NameLookup(NameLookup&&) = delete;
  NameLookup& operator=(NameLookup&&) = delete;
  virtual ~NameLookup() = default;

  /// Calls back once, never from within this call. A lookup under way is given up. Throws Error.
  virtual void look_up(const std::vector<std::string>& names, Callback callback) = 0;
  virtual void cancel() noexcept = 0;
};

/// Looks them up the way the host does (getaddrinfo(3), IPv4), in a process of its own: a resolver
/// that hangs does not hold up the companion, NSS modules are never loaded into it, and an answer
/// that takes over that process gains nothing: it has no rights, no descriptors and no memory of
/// ours, a user that no client has, and no process that it could signal or trace.
class Resolver : public NameLookup {
 public:
  /// `program look-up` must run look_up_main() below; it runs as `account` if this process is root.
  Resolver(EventLoop& loop, const Account& account, std::string program = "/proc/self/exe")
      : loop_(loop), account_(account), program_(std::move(program)) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  Resolver(Resolver&&) = delete;
  Resolver& operator=(Resolver&&) = delete;
  ~Resolver() override { end(); }

  void look_up(const std::vector<std::string>& names, Callback callback) override;
  void cancel() noexcept override { end(); }

 private:
  void receive();
  void end() noexcept;

  EventLoop& loop_;
  Account account_;
  std::string program_;
  Callback callback_;
  std::string text_;
  UniqueFd output_;
  Pidfd child_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

/// What that process does: reads names from `input`, one per line, and writes each result to
/// `output` as soon as it is there. Ends early if nobody reads. Returns the exit status.
[[nodiscard]] int look_up_main(int input, int output);

}  // namespace vpnrun::service
