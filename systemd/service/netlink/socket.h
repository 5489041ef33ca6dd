// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/netlink.h>

#include <functional>
#include <string>

#include "systemd/service/netlink/nl_ptr.h"

namespace vpnrun::netlink {

/// What the kernel said to one request: its errno (0: done) and, where it gave one, its own words
/// (NLMSGERR_ATTR_MSG, e.g. "Nexthop has invalid gateway").
struct Reply {
  int error = 0;
  std::string text;
};

/// A netlink socket of the network namespace that the calling thread is in when it is made; it
/// stays there, wherever the thread goes later. See netlink(7) and rtnetlink(7).
///
/// libnl maps errno to fewer codes of its own; this class keeps what the kernel said. Not for use
/// by two threads at once. Every function that takes a Socket& throws Error if the kernel refuses
/// for a reason that its comment does not name as a return value.
class Socket {
 public:
  /// `protocol`: NETLINK_… Throws Error.
  explicit Socket(int protocol = NETLINK_ROUTE);

  Socket(Socket&&) = delete;
  Socket& operator=(Socket&&) = delete;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  /// Sends `message` and waits for the acknowledgement.
  [[nodiscard]] Reply request(::nl_msg* message);

  /// Sends `message` and hands each message of the answer to `handle`, in order, until the answer
  /// is complete. With NLM_F_DUMP in the message's flags that is a whole table. An exception of
  /// `handle` is thrown after the answer was read to its end.
  [[nodiscard]] Reply request(::nl_msg* message, const std::function<void(::nl_msg*)>& handle);

 private:
  SocketPtr socket_;
};

/// Throws Error "<text>: <strerror> (<the kernel's own words>)".
[[noreturn]] void throw_reply(const Reply& reply, const std::string& text);

}  // namespace vpnrun::netlink
