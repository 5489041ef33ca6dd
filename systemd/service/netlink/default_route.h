// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::netlink {

enum class Families : std::uint8_t { kIpv4, kIpv6, kBoth };

/// The default route over one interface, ready to be put in and taken out at once.
///
/// Made for the moment when the tunnel dies: all requests are built by the constructor, and each of
/// install() and remove() is one sendmsg(2) for both families on a socket of its own, in the
/// namespace that the calling thread was in at construction. The kernel has acted when sendmsg
/// returns; the answers are read without waiting.
///
/// The destructor does not touch the route.
class DefaultRoute {
 public:
  /// No gateway: for a device without link layer. `source4`: what IPv4 connections get as their own
  /// address; nullopt: the kernel chooses. Throws Error if there is no socket.
  DefaultRoute(int ifindex, Families families, const std::optional<IpAddress>& source4 = {});

  /// Adds or replaces the routes. Throws Error; what was put in stays then (call remove()).
  void install();

  /// Takes them out; it is not an error if there are none. Returns 0, or the errno of the first
  /// refusal, after both were tried. Allocates nothing.
  [[nodiscard]] int remove() noexcept;

 private:
  enum class Missing : std::uint8_t { kIsError, kIsFine };
  [[nodiscard]] int exchange(const std::vector<std::byte>& requests, Missing missing) noexcept;

  UniqueFd socket_;
  int request_count_ = 0;
  std::vector<std::byte> install_requests_;
  std::vector<std::byte> remove_requests_;
};

}  // namespace vpnrun::netlink
