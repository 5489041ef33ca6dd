// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"
#include "profiles/profile.h"

/// Pieces of nftables text that both generators use; not for others.
namespace vpnrun::filter {

/// "{ a, b }".
[[nodiscard]] std::string set_of(const std::vector<std::string>& elements);

/// Elements of a set over address . protocol . port. Throws Error for one that is not IPv4.
[[nodiscard]] std::vector<std::string> endpoint_elements(const std::vector<Endpoint>& endpoints);

/// Elements of a set over protocol . port.
[[nodiscard]] std::vector<std::string> port_elements(const std::vector<profile::Port>& ports);

/// Those of one family, as text.
[[nodiscard]] std::vector<std::string> of_family(const std::vector<IpAddress>& addresses,
                                                 Family family);

/// `address` as text. Throws Error if it is not IPv4.
[[nodiscard]] std::string ipv4_text(const IpAddress& address);

/// "table … delete table … table … { `body` }": the table is replaced as a whole, and it does not
/// matter whether there was one.
[[nodiscard]] std::string replace_table(const std::string& table, const std::string& body);

/// The same for a namespace that has no such table; fails (EEXIST) if there is one. Nothing is
/// deleted, so that closing the socket afterwards has no grace period of the kernel to wait for.
[[nodiscard]] std::string create_table(const std::string& table, const std::string& body);

}  // namespace vpnrun::filter
