// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace vpnrun {

/// Whether this process already stands in the network namespace and the view of the profile whose
/// runtime directory is `directory`, by the record `origin` there. False if that cannot be told.
[[nodiscard]] bool is_inside(const std::string& directory);

/// Inherited descriptors that are internet sockets (AF_INET, AF_INET6), in ascending order. They stay
/// in the network namespace in which they were made, whoever uses them later.
[[nodiscard]] std::vector<int> inherited_internet_sockets();

}  // namespace vpnrun
