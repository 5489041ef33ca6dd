// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "helper/base/unique_fd.h"
#include "systemd/service/child.h"
#include "systemd/service/event_loop.h"

namespace vpnrun::service {

/// Looks names up the way the host does (getaddrinfo(3), IPv4), outside the namespace, in a child
/// process: a resolver that hangs does not hold up the companion, and NSS modules never enter it.
class Resolver {
 public:
  struct Result {
    std::map<std::string, std::vector<std::string>> addresses;  ///< by name; literals too
    std::map<std::string, std::string> errors;                  ///< text of gai_strerror(3)
  };
  using Callback = std::function<void(const Result&)>;

  explicit Resolver(EventLoop& loop) : loop_(loop) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  Resolver(Resolver&&) = delete;
  Resolver& operator=(Resolver&&) = delete;
  ~Resolver() { cancel(); }

  /// Calls back once, never from within this call. A lookup under way is given up. Throws Error.
  void look_up(const std::vector<std::string>& names, Callback callback);
  void cancel() noexcept;

 private:
  void receive();

  EventLoop& loop_;
  Callback callback_;
  std::string text_;
  UniqueFd output_;
  Pidfd child_;
  EventLoop::Handle watch_;
  EventLoop::Handle deadline_;
};

}  // namespace vpnrun::service
