// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/settings_check.h"

#include <algorithm>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// Loopback, unspecified, multicast, broadcast: not the address of a single host.
bool is_special(const IpAddress& address) {
  return address.is_ipv4() ? check_address(address).has_value()
                           : address.is_loopback() || address.bytes().front() == 0xff ||
                                 address == *IpAddress::parse("::");
}

bool is_usable(const Prefix& prefix, const std::optional<LinkAddresses>& link,
               const std::vector<Endpoint>& endpoints) {
  const bool is_endpoint = std::any_of(
      endpoints.begin(), endpoints.end(),
      [&prefix](const Endpoint& endpoint) { return endpoint.address == prefix.address; });
  const bool is_links = link && (prefix.contains(link->inner) || prefix.contains(link->outer));
  return prefix.length != 0 && !is_special(prefix.address) && !is_endpoint && !is_links;
}

}  // namespace

void check_settings(const TunnelSettings& settings, const std::optional<LinkAddresses>& link,
                    const std::vector<Endpoint>& endpoints) {
  for (const auto& prefix : settings.addresses) {
    if (!is_usable(prefix, link, endpoints)) {
      throw Error(formatted("the server assigned an address that cannot be used: {}", prefix.str()),
                  {}, "if it collides with the link's, set another [link] subnet in the profile");
    }
  }
}

}  // namespace vpnrun::service
