// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "systemd/service/netlink/notifications.h"

namespace vpnrun::netlink {

struct LinkChanged {
  int index = 0;
  std::string name;
  bool up = false;
  bool carrier = false;
  bool deleted = false;  ///< gone, or moved to another namespace
};
/// An address came or went.
struct AddressChanged {
  int ifindex = 0;
};
/// A route came or went.
struct RouteChanged {
  int ifindex = 0;  ///< of its first next hop; 0: none
  bool is_default = false;
  bool deleted = false;
};
/// net.ipv4.conf.*.forwarding was written.
struct ForwardingChanged {
  int ifindex = 0;  ///< kAllInterfaces for "all", kDefaultInterface for "default"
  bool enabled = false;
};
constexpr int kAllInterfaces = -1;
constexpr int kDefaultInterface = -2;
/// The kernel dropped messages: the receiver must read again what it believes.
struct Overrun {};

using Event = std::variant<LinkChanged, AddressChanged, RouteChanged, ForwardingChanged, Overrun>;

/// Reports changes of the network namespace that the calling thread is in when it is made: links,
/// addresses and routes of both families, IPv4 forwarding.
class Monitor {
 public:
  /// Subscribed when it returns. Throws Error.
  Monitor();

  /// For epoll(7), level-triggered: readable when drain() has something to do.
  [[nodiscard]] int fd() const noexcept;

  /// Hands every pending event to `handle` and returns; never waits. An exception of `handle` is
  /// thrown after the message at hand; the rest stays pending.
  void drain(const std::function<void(const Event&)>& handle);

 private:
  Notifications notifications_;
};

}  // namespace vpnrun::netlink
