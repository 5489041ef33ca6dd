// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "profiles/base/ip_address.h"

namespace vpnrun::netlink {

/// What became of the connections that were to be ended.
struct EndedConnections {
  std::size_t count = 0;
  /// The own addresses of those that the kernel left, each once; without the inet_diag modules by
  /// what proc(5) lists.
  std::vector<IpAddress> left;
  /// Why: EOPNOTSUPP of a kernel without CONFIG_INET_DIAG_DESTROY, ENOENT of one without the
  /// inet_diag modules, … 0: all are ended.
  int error = 0;
};

/// The connections in a network namespace whose own address `is_stale` says so of: of TCP
/// everything but what listens or is over anyway, of UDP what is connected, both families. An
/// address of IPv4 that is written in IPv6 is given as IPv4. See sock_diag(7).
class StaleConnections {
 public:
  /// Those of the calling thread's namespace. Throws what `is_stale` throws.
  explicit StaleConnections(std::function<bool(const IpAddress&)> is_stale);
  StaleConnections(const StaleConnections&) = delete;
  StaleConnections& operator=(const StaleConnections&) = delete;
  StaleConnections(StaleConnections&&) = delete;
  StaleConnections& operator=(StaleConnections&&) = delete;
  ~StaleConnections();

  /// Ends the next ones, `most` of them: each takes a while, and anybody can have very many. Their
  /// programs get ECONNABORTED, at once and even if they only wait. Needs CAP_NET_ADMIN over the
  /// namespace, in which the calling thread need not be. false: that was all.
  [[nodiscard]] bool end_some(std::size_t most);

  [[nodiscard]] EndedConnections result() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A socket as a line of /proc/net/tcp and its kin shows it.
struct ListedSocket {
  IpAddress source;    ///< of IPv4 if it is one of IPv4 that is written in IPv6
  unsigned state = 0;  ///< TCP_…
};
/// nullopt: the heading, or no such line. Pure.
[[nodiscard]] std::optional<ListedSocket> parse_listed_socket(std::string_view line);

}  // namespace vpnrun::netlink
