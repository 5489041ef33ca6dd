// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/openvpn/management.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>

#include "profiles/error.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr std::size_t kDnsMax = 8;
constexpr unsigned kForeignOptionsMax = 64;
constexpr std::string_view kForeignOption = "foreign_option_";
constexpr std::array<std::string_view, 7> kVariables = {
    "ifconfig_local", "ifconfig_netmask", "ifconfig_ipv6_local", "ifconfig_ipv6_netbits",
    "tun_mtu",        "trusted_ip",       "trusted_port"};
constexpr std::uint32_t kMtuMin = 576;
constexpr std::uint32_t kMtuMax = 65535;

bool is_address(int family, const std::string& text) {
  in6_addr buffer{};
  // A NUL would end the text for inet_pton, and what follows would be taken along.
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), &buffer) == 1;
}

std::string value_of(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

/// Length of a contiguous netmask such as 255.255.255.0.
std::optional<int> prefix_length(const std::string& netmask) {
  in_addr mask{};
  if (::inet_pton(AF_INET, netmask.c_str(), &mask) != 1) {
    return std::nullopt;
  }
  const std::uint32_t bits = ntohl(mask.s_addr);
  const int length = std::countl_one(bits);
  if (length < 32 && (bits << static_cast<unsigned>(length)) != 0) {
    return std::nullopt;
  }
  return length;
}

/// Whether settings_from_environment() reads it.
bool is_used(std::string_view name) {
  if (name.starts_with(kForeignOption)) {
    name.remove_prefix(kForeignOption.size());
    const auto number = to_number<unsigned>(name);
    return number && *number >= 1 && *number <= kForeignOptionsMax && !name.starts_with('0');
  }
  return std::ranges::find(kVariables, name) != kVariables.end();
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 253) {
    return false;
  }
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

void add_address4(const std::map<std::string, std::string>& environment, TunnelSettings& settings) {
  const std::string local = value_of(environment, "ifconfig_local");
  if (!is_address(AF_INET, local)) {
    return;
  }
  // topology net30 and p2p give a peer instead of a mask: the address stands alone then.
  const auto length = prefix_length(value_of(environment, "ifconfig_netmask"));
  settings.addresses.push_back(fmt::format("{}/{}", local, length.value_or(32)));
}

void add_address6(const std::map<std::string, std::string>& environment, TunnelSettings& settings) {
  const std::string local = value_of(environment, "ifconfig_ipv6_local");
  if (!is_address(AF_INET6, local)) {
    return;
  }
  const auto length = to_number<unsigned>(value_of(environment, "ifconfig_ipv6_netbits"));
  settings.addresses.push_back(
      fmt::format("{}/{}", local, length && *length <= 128 ? *length : 128U));
}

/// "dhcp-option DNS 10.8.0.1"
void add_foreign_option(std::string_view option, TunnelSettings& settings) {
  constexpr std::string_view kPrefix = "dhcp-option ";
  if (!option.starts_with(kPrefix)) {
    return;
  }
  option.remove_prefix(kPrefix.size());
  const auto space = option.find(' ');
  if (space == std::string_view::npos) {
    return;
  }
  const std::string_view kind = option.substr(0, space);
  const std::string value(option.substr(space + 1));
  if ((kind == "DNS" || kind == "DNS6") && settings.dns.size() < kDnsMax &&
      (is_address(AF_INET, value) || is_address(AF_INET6, value))) {
    settings.dns.push_back(value);
  } else if ((kind == "DOMAIN" || kind == "DOMAIN-SEARCH" || kind == "ADAPTER_DOMAIN_SUFFIX") &&
             settings.search_domains.size() < kDnsMax && is_domain(value)) {
    settings.search_domains.push_back(value);
  }
}

}  // namespace

TunnelSettings settings_from_environment(const std::map<std::string, std::string>& environment) {
  TunnelSettings settings;
  add_address4(environment, settings);
  add_address6(environment, settings);
  if (settings.addresses.empty()) {
    throw Error("the server assigned no address");
  }
  for (unsigned i = 1; i <= kForeignOptionsMax; ++i) {
    const std::string option =
        value_of(environment, fmt::format("{}{}", kForeignOption, i).c_str());
    if (option.empty()) {
      break;
    }
    add_foreign_option(option, settings);
  }
  const auto mtu = to_number<std::uint32_t>(value_of(environment, "tun_mtu"));
  if (mtu && *mtu >= kMtuMin && *mtu <= kMtuMax) {
    settings.mtu = *mtu;
  }
  const std::string server = value_of(environment, "trusted_ip");
  if (is_address(AF_INET, server)) {
    settings.server_address = server;
  }
  settings.server_port =
      to_number<std::uint16_t>(value_of(environment, "trusted_port")).value_or(0);
  return settings;
}

void ManagementParser::feed(std::string_view bytes) {
  while (!bytes.empty() && !stopped_) {
    const auto end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() + part.size() > kLineMax) {
      throw Error(fmt::format("the VPN client reports a line of more than {} bytes", kLineMax));
    }
    pending_ += part;
    if (end == std::string_view::npos) {
      return;
    }
    bytes.remove_prefix(end + 1);
    std::string complete = std::move(pending_);
    pending_.clear();
    if (complete.ends_with('\r')) {
      complete.pop_back();
    }
    line(complete);
  }
}

void ManagementParser::line(std::string_view text) {
  const auto take = [&text](std::string_view prefix) {
    if (!text.starts_with(prefix)) {
      return false;
    }
    text.remove_prefix(prefix.size());
    return true;
  };
  if (take(">STATE:")) {
    // time,name,detail,…
    std::array<std::string_view, 3> fields{};
    for (auto& field : fields) {
      const auto comma = text.find(',');
      field = text.substr(0, comma);
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    events_.on_state(fields[1], fields[2]);
  } else if (take(">UPDOWN:")) {
    updown(text);
  } else if (take(">HOLD:")) {
    const auto colon = text.rfind(':');
    const auto wait = colon == std::string_view::npos
                          ? std::nullopt
                          : to_number<std::uint32_t>(text.substr(colon + 1));
    events_.on_hold(wait.value_or(0));
  } else if (take(">PASSWORD:")) {
    password(text);
  } else if (take(">FATAL:")) {
    events_.on_fatal(text);
  }
  // everything else (SUCCESS:, >INFO:, >LOG:, >BYTECOUNT:) is of no consequence here
}

void ManagementParser::updown(std::string_view text) {
  constexpr std::string_view kEnvironment = "ENV,";
  if (text == "UP" || text == "DOWN") {
    collecting_up_ = text == "UP";
    environment_.clear();
    reported_ = 0;
    if (!collecting_up_) {
      events_.on_down();
    }
    return;
  }
  if (!text.starts_with(kEnvironment)) {
    return;
  }
  text.remove_prefix(kEnvironment.size());
  reported_ += text.size();
  if (reported_ > kReportMax) {
    throw Error(fmt::format(
        "the VPN client reports more than {} MiB about one connection: too many routes pushed",
        kReportMax / (1024UL * 1024)));
  }
  const auto equals = text.find('=');
  if (text == "END") {
    if (collecting_up_) {
      collecting_up_ = false;
      events_.on_up(environment_);
    }
    environment_.clear();
  } else if (equals != std::string_view::npos && is_used(text.substr(0, equals))) {
    environment_.insert_or_assign(std::string(text.substr(0, equals)),
                                  std::string(text.substr(equals + 1)));
  }
}

void ManagementParser::password(std::string_view text) const {
  constexpr std::string_view kNeed = "Need '";
  constexpr std::string_view kFailed = "Verification Failed: '";
  if (text.starts_with("Auth-Token:")) {
    events_.on_auth_token();  // what it is stays a secret between OpenVPN and the server
    return;
  }
  const bool need = text.starts_with(kNeed);
  if (!need && !text.starts_with(kFailed)) {
    return;
  }
  text.remove_prefix(need ? kNeed.size() : kFailed.size());
  const auto quote_end = text.find('\'');
  const std::string_view realm = text.substr(0, quote_end);
  const std::string_view rest =
      quote_end == std::string_view::npos ? std::string_view() : text.substr(quote_end + 1);
  if (!need) {
    // 'Auth' ['what the server says']
    const bool reason = rest.starts_with(" ['") && rest.ends_with("']") && rest.size() >= 5;
    events_.on_password_rejected(realm, reason ? rest.substr(3, rest.size() - 5) : "");
    return;
  }
  const bool wants_user_name = rest.find("username/password") != std::string_view::npos;
  Challenge challenge;
  if (const auto mark = rest.find(" SC:"); mark != std::string_view::npos) {
    challenge = static_challenge(rest.substr(mark + 4));
  }
  events_.on_need_password(realm, wants_user_name, challenge);
}

std::string quote(std::string_view text) {
  if (text.size() > kArgumentMax) {
    throw Error("a user name, password or one-time password is longer than OpenVPN takes");
  }
  std::string quoted;
  quoted.reserve(2 * text.size() + 2);  // not moved, so that no copy of a password stays behind
  quoted += '"';
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      throw Error("a user name or password contains a control character");
    }
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

}  // namespace vpnrun::service::openvpn
