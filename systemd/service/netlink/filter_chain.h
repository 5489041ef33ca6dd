// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun::netlink {

/// Whether the nftables table of family inet has the chain, in the network namespace that the
/// calling thread is in. One question of the kernel: libnftables reads every rule of the table for
/// that. Needs CAP_NET_ADMIN. Throws Error.
[[nodiscard]] bool has_filter_chain(const std::string& table, const std::string& chain);

}  // namespace vpnrun::netlink
