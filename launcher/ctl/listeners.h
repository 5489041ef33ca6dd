// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vpnrun {

/// A socket that waits for others.
struct Listener {
  std::string protocol;  ///< "tcp" or "udp"
  std::string address;   ///< "0.0.0.0", "[::]"
  std::uint16_t port = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): there is no null pointer
  auto operator<=>(const Listener&) const = default;
};

/// Ports from which the kernel takes one for a socket that did not choose: ip_local_port_range in
/// ip(7).
struct PortRange {
  std::uint16_t first = 32768;
  std::uint16_t last = 60999;
};

/// Of a table such as /proc/net/tcp6 (proc(5)) those of `sockets` (inodes) that wait for others:
/// TCP sockets that listen, and UDP sockets that are not connected, unless the kernel has chosen
/// their port (`chosen`): such a socket is a client's.
[[nodiscard]] std::vector<Listener> listeners_in(std::string_view table,
                                                 const std::string& protocol,
                                                 const std::set<ino_t>& sockets, PortRange chosen);

/// What the processes of a control group (as systemd names it, "/system.slice/d.service") wait for
/// in the caller's own network namespace, each once, by the procfs at `proc`. What cannot be read
/// is left out.
[[nodiscard]] std::vector<Listener> listeners_of(const std::string& control_group,
                                                 const std::string& proc = "/proc");

}  // namespace vpnrun
