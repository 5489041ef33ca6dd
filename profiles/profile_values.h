// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "profiles/profile.h"

// What a single value of a profile may be. Private to the parsers of profiles, requests and
// command lines; each function throws Error "'VALUE' …: expected …" without a place, and calls no
// resolver and no NSS.
namespace vpnrun::profile {

/// "198.18.0.4/30": a /30 without host bits, outside 0/8, 127/8 and 224/3.
[[nodiscard]] Prefix parse_subnet(std::string_view text);

/// "tcp/9091" or "udp/53".
[[nodiscard]] Port parse_port(std::string_view text);

/// An IPv4 or IPv6 literal without zone; neither unspecified nor multicast.
[[nodiscard]] IpAddress parse_dns_server(std::string_view text);

/// A domain of letters, digits, '-' and '_', RFC 1035 lengths; a final dot is removed.
[[nodiscard]] std::string parse_search_domain(std::string_view text);

/// A name that can stand in passwd(5) or group(5), directory services included; no number.
[[nodiscard]] std::string parse_account_name(std::string_view text);

/// "90s", "10min", "2h": 10 s to 7 days.
[[nodiscard]] std::chrono::seconds parse_idle_time(std::string_view text);

/// A name for `ip netns`: what is_valid_profile_name() takes.
[[nodiscard]] std::string parse_namespace_name(std::string_view text);

/// A name that the kernel accepts for an interface.
[[nodiscard]] std::string parse_interface_name(std::string_view text);

}  // namespace vpnrun::profile
