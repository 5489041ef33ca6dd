// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace vpnrun {
namespace {

/// Clears what follows the first `length` bits.
void clear_host_bits(std::span<std::uint8_t> bytes, unsigned length) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned first_bit = static_cast<unsigned>(i) * 8;
    if (first_bit >= length) {
      bytes[i] = 0;
    } else if (length - first_bit < 8) {
      const unsigned mask = 0xffU << (8 - (length - first_bit));
      bytes[i] = static_cast<std::uint8_t>(bytes[i] & mask);
    }
  }
}

}  // namespace

IpAddress IpAddress::from_ipv4(std::uint32_t value) noexcept {
  IpAddress address;
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes_[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return std::nullopt;
  }
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) {
    return std::nullopt;  // inet_pton would stop there and take the rest for granted
  }
  IpAddress address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) {
    return address;
  }
  address.family_ = Family::kIpv6;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_ipv4()) {
    return bytes_[0] == 127;
  }
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

int IpAddress::address_family() const noexcept {
  return is_ipv4() ? AF_INET : AF_INET6;
}

std::span<const std::uint8_t> IpAddress::bytes() const noexcept {
  return {bytes_.data(), is_ipv4() ? std::size_t{4} : std::size_t{16}};
}

std::uint32_t IpAddress::ipv4_value() const noexcept {
  if (!is_ipv4()) {
    return 0;
  }
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | bytes_[i];
  }
  return value;
}

std::string IpAddress::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)::inet_ntop(address_family(), bytes_.data(), text.data(), text.size());  // cannot fail here
  return text.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) {
    return host(*address);
  }
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      length > address->bit_count()) {
    return std::nullopt;
  }
  return Prefix{*address, static_cast<std::uint8_t>(length)};
}

Prefix Prefix::default_network(Family family) noexcept {
  constexpr std::array<std::uint8_t, 16> kZeros{};
  const std::size_t size = family == Family::kIpv4 ? 4 : 16;
  return {IpAddress::from_bytes({kZeros.data(), size}).value_or(IpAddress{}), 0};
}

Prefix Prefix::host(const IpAddress& address) noexcept {
  return {address, address.bit_count()};
}

Prefix Prefix::network() const noexcept {
  std::array<std::uint8_t, 16> masked{};
  const std::span<const std::uint8_t> bytes = address.bytes();
  std::copy(bytes.begin(), bytes.end(), masked.begin());
  clear_host_bits(masked, length);
  return {IpAddress::from_bytes({masked.data(), bytes.size()}).value_or(IpAddress{}), length};
}

bool Prefix::contains(const IpAddress& other) const noexcept {
  return overlaps(host(other));
}

bool Prefix::overlaps(const Prefix& other) const noexcept {
  if (address.family() != other.address.family()) {
    return false;
  }
  const std::uint8_t shorter = std::min(length, other.length);
  return Prefix{address, shorter}.network() == Prefix{other.address, shorter}.network();
}

std::string Prefix::str() const {
  return address.str() + "/" + std::to_string(length);
}

}  // namespace vpnrun
