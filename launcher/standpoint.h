// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "helper/base/runtime_layout.h"

namespace vpnrun {

/// Where this process stands to one profile, by the record `origin` in the profile's runtime
/// directory. What cannot be told is left to the helper, which decides.
class ProfileStandpoint {
 public:
  /// Looks at once; `directory` is the runtime directory.
  explicit ProfileStandpoint(std::string directory);
  /// The record may be there by now, or another one.
  void look_again();

  /// nullopt if there is none, or it cannot be read.
  [[nodiscard]] const std::optional<Origin>& record() const noexcept { return record_; }
  /// Whether this process is in the profile's network namespace and view already.
  [[nodiscard]] bool is_inside() const;
  /// Throws Error, with a hint, if the helper would refuse this process for its network namespace
  /// (see check_standpoint() of helper/access.h): before a tunnel of `profile` is started and
  /// waited for.
  void refuse_other_network(const std::string& profile) const;

 private:
  std::string directory_;
  FileId netns_;  ///< of this process
  std::optional<Origin> record_;
};

/// Whether the tunnel of the profile with the runtime directory `directory` is up, by the lock that
/// its companion holds (kUpEntry): no process is waited for. False also if that cannot be told.
[[nodiscard]] bool is_up(const std::string& directory);

/// A descriptor over which packets go past the tunnel: a socket stays in the network namespace in
/// which it was made, whoever uses it.
struct OutsideSocket {
  int fd = -1;
  std::string description;  ///< "TCP from 192.0.2.1:40000 to 203.0.113.5:443", "packet socket"
};

/// How far to look for descriptors. kQuick: below 1024 and the soft RLIMIT_NOFILE, until all that
/// are open have been seen. kAll: whatever is in /proc/self/fd, which costs a launch many times as
/// much; throws Error if that cannot be read.
enum class Look : std::uint8_t { kQuick, kAll };

/// Open descriptors that are sockets of a family that leaves the machine (AF_INET, AF_INET6,
/// AF_PACKET, AF_VSOCK and whatever else is neither AF_UNIX nor AF_NETLINK), and io_uring rings,
/// which can make such sockets; in ascending order.
[[nodiscard]] std::vector<OutsideSocket> outside_sockets(Look look);

}  // namespace vpnrun
