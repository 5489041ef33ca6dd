// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <variant>

#include "systemd/service/netlink/notifications.h"

namespace vpnrun::netlink {

/// A whole nftables table was deleted (`nft flush ruleset` deletes each).
struct TableDeleted {
  std::string family;  ///< as nft(8) writes it
  std::string table;
};
/// A traced packet (nft(8), "meta nftrace set 1") was dropped.
struct PacketDropped {
  std::string family;  ///< of the table, as nft(8) writes it: "ip", "inet", …
  std::string table;
  std::string chain;
  bool by_policy = false;  ///< no rule took it, and the chain's policy is to drop
};
/// A rule was added or deleted, or a chain changed (its policy, for example).
struct RulesChanged {
  std::string family;  ///< as nft(8) writes it
  std::string table;
};
/// The kernel dropped messages: any table may be gone.
struct FilterOverrun {};
using FilterEvent = std::variant<TableDeleted, PacketDropped, RulesChanged, FilterOverrun>;

/// What messages of the kernel say about its rules, independent of how they are received.
class FilterEvents {
 public:
  /// From now on drops of packets that come from or go to this interface are reported; 0: none.
  void follow_interface(int ifindex) noexcept;
  [[nodiscard]] bool is_following() const noexcept { return ifindex_ != 0; }
  /// Hands over what `message` tells; nothing if it is of another kind or too short for its own.
  void read(::nl_msg* message, const std::function<void(const FilterEvent&)>& handle);

 private:
  std::uint32_t ifindex_ = 0;
  /// Packets of the interface, by the kernel's id: only the first message about one in a chain says
  /// where it comes from and goes to.
  std::set<std::uint32_t> followed_;
};

/// Reports what happens to the nftables rules of the network namespace that the calling thread is
/// in when it is made, and which of them drops traced packets of one interface. See nft(8), "nft
/// monitor".
class FilterMonitor {
 public:
  /// Subscribed when it returns. Needs CAP_NET_ADMIN. Throws Error.
  FilterMonitor();

  /// For epoll(7), level-triggered: readable when drain() has something to do.
  [[nodiscard]] int fd() const noexcept;

  /// See FilterEvents. While an interface is followed the kernel sends every traced packet of the
  /// namespace, those of other interfaces too; otherwise none. Throws Error.
  void follow_interface(int ifindex);

  /// Hands every pending event to `handle` and returns; never waits. An exception of `handle` is
  /// thrown after the message at hand.
  void drain(const std::function<void(const FilterEvent&)>& handle);

 private:
  Notifications notifications_;
  FilterEvents events_;
};

}  // namespace vpnrun::netlink
