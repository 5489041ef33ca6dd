// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/os/inquiry.h"

namespace vpnrun::service {

/// Looks names up outside the namespace.
class NameLookup {
 public:
  struct Result {
    /// By name, which may be an address. Of a name that has no IPv4 address the others.
    std::map<std::string, std::vector<IpAddress>> addresses;
    std::map<std::string, std::string> errors;  ///< text of gai_strerror(3)
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

/// Looks them up the way the host does (getaddrinfo(3)), in a process of its own: a resolver
/// that hangs does not hold up the companion, NSS modules are never loaded into it, and an answer
/// that takes over that process gains nothing: it has no rights, no descriptors and no memory of
/// ours, a user that no client has, and no process that it could signal or trace.
class Resolver : public NameLookup {
 public:
  /// `program look-up` must run look_up_main() below; it runs as `account` if this process is root.
  Resolver(EventLoop& loop, const Account& account, std::string program = "/proc/self/exe")
      : account_(account), inquiry_(loop, std::move(program)) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  Resolver(Resolver&&) = delete;
  Resolver& operator=(Resolver&&) = delete;
  ~Resolver() override = default;

  void look_up(const std::vector<std::string>& names, Callback callback) override;
  void cancel() noexcept override { inquiry_.cancel(); }

 private:
  Account account_;
  Inquiry inquiry_;
};

/// What that process does: reads names from `input`, one per line, and writes each result to
/// `output` as soon as it is there. Ends early if nobody reads. Returns the exit status.
[[nodiscard]] int look_up_main(int input, int output);

}  // namespace vpnrun::service
