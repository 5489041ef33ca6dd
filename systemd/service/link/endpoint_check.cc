// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/endpoint_check.h"

#include <algorithm>

#include "profiles/base/format.h"

namespace vpnrun::service {
namespace {

constexpr const char* kRelay =
    "a relay on this machine must listen at an address that is not loopback (see: ip -4 "
    "address), and the configuration must name that address";

bool is_in(const IpAddress& address, const char* network) {
  return Prefix::parse(network)->contains(address);
}

}  // namespace

std::optional<UnusableAddress> check_address(const IpAddress& address) {
  const std::string text = address.str();
  if (address.is_loopback()) {
    return UnusableAddress{
        text + " is a loopback address, which inside the namespace means the namespace itself",
        kRelay, true};
  }
  if (!address.is_ipv4()) {
    return UnusableAddress{text + " is an IPv6 address, which the link to the server cannot carry",
                           "let the configuration name a server by IPv4"};
  }
  if (is_in(address, "0.0.0.0/8")) {
    return UnusableAddress{text + " is not a server's address", "", true};
  }
  if (is_in(address, "224.0.0.0/4")) {
    return UnusableAddress{text + " is a multicast address, not a server's", ""};
  }
  if (text == "255.255.255.255") {
    return UnusableAddress{text + " is the broadcast address, not a server's", "", true};
  }
  if (is_in(address, "240.0.0.0/4")) {
    return UnusableAddress{text + " is a reserved address, not a server's", ""};
  }
  return std::nullopt;
}

std::optional<UnusableAddress> check_address_here(const IpAddress& address,
                                                  const std::optional<netlink::RouteAnswer>& way,
                                                  const Prefix& link,
                                                  std::span<const Prefix> links) {
  if (auto unusable = check_address(address)) {
    return unusable;
  }
  if (way && (way->type == RTN_BROADCAST || way->type == RTN_MULTICAST)) {
    return UnusableAddress{
        address.str() + " is the broadcast address of a network of this machine, not a server's",
        "", false, false};
  }
  if (address == link.address) {
    return std::nullopt;
  }
  if (link.contains(address)) {
    return UnusableAddress{
        formatted("{} is in the link's own network, {}", address.str(), link.network().str()),
        "set another [link] subnet in the profile", false, false};
  }
  const auto other = std::find_if(links.begin(), links.end(),
                                  [&address](const Prefix& one) { return one.contains(address); });
  if (other != links.end()) {
    return UnusableAddress{formatted("{} is in the network of another profile's link, {}",
                                     address.str(), other->network().str()),
                           "set another [link] subnet in that profile", false, false};
  }
  return std::nullopt;
}

}  // namespace vpnrun::service
