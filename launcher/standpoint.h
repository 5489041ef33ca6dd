// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace vpnrun {

/// Whether this process already stands in the network namespace and the view of the profile whose
/// runtime directory is `directory`, by the record `origin` there. False if that cannot be told.
[[nodiscard]] bool is_inside(const std::string& directory);

/// Descriptors are looked at up to this number: a launch cannot afford a look at /proc/self/fd (30
/// µs measured, against 6), and what is inherited by intent or by accident has a low number.
constexpr int kInheritedMax = 64;

/// Whether the tunnel of the profile with the runtime directory `directory` is up, by the lock that
/// its companion holds (kUpEntry): no process is waited for. False also if that cannot be told.
[[nodiscard]] bool is_up(const std::string& directory);

/// Inherited descriptors below kInheritedMax that are internet sockets (AF_INET, AF_INET6), in
/// ascending order. They stay in the network namespace in which they were made, whoever uses them.
[[nodiscard]] std::vector<int> inherited_internet_sockets();

}  // namespace vpnrun
