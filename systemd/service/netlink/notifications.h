// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include "systemd/service/netlink/nl_ptr.h"

namespace vpnrun::netlink {

/// A socket on which the kernel tells of changes, unasked, in the network namespace that the
/// calling thread is in when it is made. What monitors of this library share; not for others.
class Notifications {
 public:
  /// Subscribed to the multicast `groups` of `protocol` (NETLINK_…) when it returns. `what` is for
  /// messages: "the network". Throws Error.
  Notifications(int protocol, std::initializer_list<int> groups, std::string what);

  /// Subscribed to one more group, or no longer. Throws Error.
  void join(int group);
  void leave(int group);

  [[nodiscard]] int fd() const noexcept;

  /// Hands every pending message to `on_message`, and calls `on_overrun` where the kernel dropped
  /// some; never waits. An exception of either is thrown after the message at hand; the rest stays
  /// pending. Throws Error.
  void drain(const std::function<void(::nl_msg*)>& on_message,
             const std::function<void()>& on_overrun);

 private:
  std::string what_;
  SocketPtr socket_;
};

}  // namespace vpnrun::netlink
