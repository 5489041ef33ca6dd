// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_values.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include "helper/base/name.h"
#include "profiles/base/error.h"

namespace vpnrun::profile {
namespace {

[[noreturn]] void refuse(std::string_view value, std::string_view what, std::string_view expected) {
  throw Error(formatted("'{}' is not {}: expected {}", printable(value), what, expected));
}

/// Digits only, without sign and leading zeros, at most `max`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number > max ||
      (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  return number;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  constexpr std::size_t kLabelMax = 63;
  return !label.empty() && label.size() <= kLabelMax && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_';
         });
}

constexpr std::uint32_t kNetmask30 = 0xFFFFFFFCU;

bool is_usable_network(std::uint32_t address) {
  const std::uint32_t first = address >> 24U;
  return first != 0 && first != 127 && first < 224;
}

}  // namespace

Prefix parse_subnet(std::string_view text) {
  constexpr std::string_view kWhat = "a subnet";
  constexpr std::string_view kExpected = "\"auto\" or an IPv4 network like 198.18.0.4/30";
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  in_addr parsed{};
  if (slash == std::string_view::npos || ::inet_pton(AF_INET, address.c_str(), &parsed) != 1) {
    refuse(text, kWhat, kExpected);
  }
  if (text.substr(slash) != "/30") {
    refuse(text, "a /30", "a network of four addresses, with '/30' at the end");
  }
  const std::uint32_t network = ntohl(parsed.s_addr);
  if ((network & ~kNetmask30) != 0) {
    std::array<char, INET_ADDRSTRLEN> fixed{};
    parsed.s_addr = htonl(network & kNetmask30);
    (void)::inet_ntop(AF_INET, &parsed, fixed.data(), fixed.size());  // cannot fail: IPv4 fits
    refuse(text, "the first address of a /30", formatted("{}/30", fixed.data()));
  }
  if (!is_usable_network(network)) {
    refuse(text, kWhat, "a unicast network outside 0.0.0.0/8 and 127.0.0.0/8");
  }
  return {IpAddress::from_ipv4(network), 30};
}

Port parse_port(std::string_view text) {
  constexpr std::string_view kExpected = "tcp/NUMBER or udp/NUMBER with a NUMBER from 1 to 65535";
  Port port;
  if (text.starts_with("tcp/")) {
    port.transport = Transport::kTcp;
  } else if (text.starts_with("udp/")) {
    port.transport = Transport::kUdp;
  } else {
    refuse(text, "a port", kExpected);
  }
  const std::optional<std::uint32_t> number = parse_number(text.substr(4), 65535);
  if (!number || *number == 0) {
    refuse(text, "a port", kExpected);
  }
  port.number = static_cast<std::uint16_t>(*number);
  return port;
}

std::chrono::seconds parse_idle_time(std::string_view text) {
  constexpr std::string_view kExpected = R"(a number and s, min or h, from "10s" to "168h")";
  constexpr std::uint32_t kShortest = 10;  // systemd gives up what starts all the time
  constexpr std::uint32_t kLongest = 7 * 24 * 3600;
  std::uint32_t unit = 0;
  std::string_view digits;
  for (const auto& [name, seconds] :
       {std::pair<std::string_view, std::uint32_t>("s", 1), {"min", 60}, {"h", 3600}}) {
    if (text.ends_with(name)) {
      unit = seconds;
      digits = text.substr(0, text.size() - name.size());
    }
  }
  const auto number = unit == 0 ? std::nullopt : parse_number(digits, kLongest / unit);
  if (!number || *number * unit < kShortest) {
    refuse(text, "a duration", kExpected);
  }
  return std::chrono::seconds(*number * unit);
}

std::string parse_namespace_name(std::string_view text) {
  if (!is_valid_profile_name(text)) {
    refuse(text, "a namespace's name",
           "at most 32 of a-z, 0-9, '_' and '-', the first a letter or digit");
  }
  return std::string(text);
}

IpAddress parse_dns_server(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address || address->bytes().front() >= (address->is_ipv4() ? 224 : 0xff) ||
      (address->is_ipv4() ? address->bytes().front() == 0 : *address == *IpAddress::parse("::"))) {
    refuse(text, "the address of a DNS server",
           "a unicast IPv4 or IPv6 address like 192.0.2.1 or 2001:db8::1");
  }
  return *address;
}

std::string parse_search_domain(std::string_view text) {
  constexpr std::string_view kExpected =
      "labels of letters, digits, '-' and '_' with dots between them, at most 253 bytes "
      "(international names in their xn-- form)";
  constexpr std::size_t kDomainMax = 253;
  const std::string_view domain = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  if (domain.size() > kDomainMax) {
    refuse(text, "a domain", kExpected);
  }
  std::string_view rest = domain;
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) {
      refuse(text, "a domain", kExpected);
    }
    if (dot == std::string_view::npos) {
      return std::string(domain);
    }
    rest.remove_prefix(dot + 1);
  }
}

std::string parse_account_name(std::string_view text) {
  constexpr std::size_t kNameMax = 255;
  const bool misleading = text.empty() || text.size() > kNameMax || text.front() == '-' ||
                          text.front() == ' ' || text.back() == ' ' || text == "." || text == "..";
  const bool only_digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (misleading || only_digits || text.find_first_of(":/,*?\"'") != std::string_view::npos) {
    refuse(text, "a name", "the name of a user or group, not a number");
  }
  return std::string(text);
}

std::string parse_interface_name(std::string_view text) {
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (text.empty() || text.size() >= IF_NAMESIZE || !visible || text == "." || text == ".." ||
      text.find_first_of("/:") != std::string_view::npos) {
    refuse(text, "an interface name",
           "\"auto\" or at most 15 visible characters without '/' and ':'");
  }
  return std::string(text);
}

}  // namespace vpnrun::profile
