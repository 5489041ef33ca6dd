// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vpnrun {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

/// One IPv4 or IPv6 address. A value; default is 0.0.0.0.
class IpAddress {
 public:
  IpAddress() noexcept = default;

  /// `value` in host byte order: 0x0a000001 is 10.0.0.1.
  [[nodiscard]] static IpAddress from_ipv4(std::uint32_t value) noexcept;
  /// 4 or 16 bytes in network byte order; nullopt for any other length.
  [[nodiscard]] static std::optional<IpAddress> from_bytes(
      std::span<const std::uint8_t> bytes) noexcept;
  /// A literal as inet_pton(3) takes it: no name, no scope, no prefix length, no port.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] bool is_ipv4() const noexcept { return family_ == Family::kIpv4; }
  [[nodiscard]] bool is_ipv6() const noexcept { return family_ == Family::kIpv6; }
  /// 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const noexcept;
  /// AF_INET or AF_INET6.
  [[nodiscard]] int address_family() const noexcept;
  /// 32 or 128.
  [[nodiscard]] std::uint8_t bit_count() const noexcept { return is_ipv4() ? 32 : 128; }
  /// Network byte order, 4 or 16 of them.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept;
  /// Host byte order; 0 for an IPv6 address.
  [[nodiscard]] std::uint32_t ipv4_value() const noexcept;
  /// Canonical text as inet_ntop(3) writes it.
  [[nodiscard]] std::string str() const;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the compared 0 for a pointer
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// An address with a prefix length: the address of an interface (host bits kept) or a network.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;  ///< 0…address.bit_count()

  /// "ADDRESS" (a host: full length) or "ADDRESS/LENGTH"; nullopt on anything else.
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);
  /// 0.0.0.0/0 or ::/0.
  [[nodiscard]] static Prefix default_network(Family family) noexcept;
  /// `address` alone, with full length.
  [[nodiscard]] static Prefix host(const IpAddress& address) noexcept;

  /// The same with host bits cleared.
  [[nodiscard]] Prefix network() const noexcept;
  [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
  /// Whether some address is in both. Never between families.
  [[nodiscard]] bool overlaps(const Prefix& other) const noexcept;
  /// Always with the length: "10.8.0.2/24".
  [[nodiscard]] std::string str() const;

  // NOLINTNEXTLINE(modernize-use-nullptr): as above
  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace vpnrun
