// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

namespace vpnrun::netlink {

/// Writes `value` to /proc/sys/`name`. Under net/ that is the network namespace of the calling
/// thread. `name` is written with '/', as interface names may contain '.':
/// "net/ipv4/conf/tun0/forwarding". Returns 0 or an errno (ENOENT: no such setting, for example
/// IPv6 is not there; EROFS: /proc/sys is read-only).
[[nodiscard]] int write_sysctl(const std::string& name, const std::string& value) noexcept;

/// Its value without the line end; nullopt, with errno set, if it cannot be read.
[[nodiscard]] std::optional<std::string> read_sysctl(const std::string& name);

}  // namespace vpnrun::netlink
