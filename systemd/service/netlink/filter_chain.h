// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "systemd/service/netlink/nl_ptr.h"

namespace vpnrun::netlink {

/// Looks for nftables chains and tables of family inet, in the network namespace that the calling
/// thread is in when this is made, with a single request to the kernel: libnftables would read
/// every rule of the table. The socket stays open, since closing one waits until what others have
/// deleted is out of use. Needs CAP_NET_ADMIN. Every call throws Error.
class FilterChains {
 public:
  FilterChains();
  [[nodiscard]] bool has(const std::string& table, const std::string& chain);
  /// The kernel's number of this table, which no other one gets, whatever its name
  /// (NFTA_TABLE_HANDLE of linux/netfilter/nf_tables.h); nullopt: there is no such table.
  [[nodiscard]] std::optional<std::uint64_t> number_of(const std::string& table);

 private:
  SocketPtr socket_;
};

}  // namespace vpnrun::netlink
