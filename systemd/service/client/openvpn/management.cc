// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/management.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr std::size_t kDnsMax = 8;
constexpr unsigned kForeignOptionsMax = 64;
constexpr std::string_view kForeignOption = "foreign_option_";
constexpr std::string_view kDnsServer = "dns_server_";
constexpr std::string_view kDnsSearch = "dns_search_domain_";
constexpr unsigned kDnsServersMax = 128;  // priorities that can be pushed: 0 to 127
constexpr unsigned kDnsAddressesMax = 8;  // of one server; openvpn(8)
constexpr unsigned kDnsSearchMax = 64;
constexpr std::array<std::string_view, 7> kVariables = {
    "ifconfig_local", "ifconfig_netmask", "ifconfig_ipv6_local", "ifconfig_ipv6_netbits",
    "tun_mtu",        "trusted_ip",       "trusted_port"};
constexpr std::uint32_t kMtuMin = 576;
constexpr std::uint32_t kMtuMax = 65535;

/// nullopt if `text` is not an address, or is one of another family.
std::optional<IpAddress> address_of(Family family, std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address && address->family() == family ? address : std::nullopt;
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
std::optional<std::uint8_t> prefix_length(std::string_view netmask) {
  const auto mask = address_of(Family::kIpv4, netmask);
  if (!mask) {
    return std::nullopt;
  }
  const std::uint32_t bits = mask->ipv4_value();
  const int length = std::countl_one(bits);
  if (length < 32 && (bits << static_cast<unsigned>(length)) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(length);
}

/// Whether `text` is a number from 1 to `max`, as OpenVPN writes it.
bool is_index(std::string_view text, unsigned max) {
  const auto number = to_number<unsigned>(text);
  return number && *number >= 1 && *number <= max && !text.starts_with('0');
}

/// dns_server_2_address_1, dns_server_2_transport, …
bool is_used_of_dns_server(std::string_view name) {
  const auto mark = name.find('_');
  if (mark == std::string_view::npos || !is_index(name.substr(0, mark), kDnsServersMax)) {
    return false;
  }
  name.remove_prefix(mark + 1);
  if (name == "transport" || name == "dnssec" || name == "resolve_domain_1") {
    return true;
  }
  for (const std::string_view kind : {"address_", "port_"}) {
    if (name.starts_with(kind)) {
      return is_index(name.substr(kind.size()), kDnsAddressesMax);
    }
  }
  return false;
}

/// Whether settings_from_environment() reads it.
bool is_used(std::string_view name) {
  if (name.starts_with(kForeignOption)) {
    return is_index(name.substr(kForeignOption.size()), kForeignOptionsMax);
  }
  if (name.starts_with(kDnsServer)) {
    return is_used_of_dns_server(name.substr(kDnsServer.size()));
  }
  if (name.starts_with(kDnsSearch)) {
    return is_index(name.substr(kDnsSearch.size()), kDnsSearchMax);
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
  if (const auto local = address_of(Family::kIpv4, value_of(environment, "ifconfig_local"))) {
    // topology net30 and p2p give a peer instead of a mask: the address is then that of a single
    // host.
    const auto length = prefix_length(value_of(environment, "ifconfig_netmask"));
    settings.addresses.push_back({*local, length.value_or(local->bit_count())});
  }
}

void add_address6(const std::map<std::string, std::string>& environment, TunnelSettings& settings) {
  if (const auto local = address_of(Family::kIpv6, value_of(environment, "ifconfig_ipv6_local"))) {
    const auto length = to_number<std::uint8_t>(value_of(environment, "ifconfig_ipv6_netbits"));
    const bool usable = length && *length <= local->bit_count();
    settings.addresses.push_back({*local, usable ? *length : local->bit_count()});
  }
}

/// The endpoint that OpenVPN reports as in use. It does not report the transport.
std::optional<Endpoint> endpoint_in_use(const std::map<std::string, std::string>& environment,
                                        std::span<const Endpoint> endpoints) {
  const auto address = IpAddress::parse(value_of(environment, "trusted_ip"));
  const auto port = to_number<std::uint16_t>(value_of(environment, "trusted_port"));
  const auto found = std::ranges::find_if(endpoints, [&](const Endpoint& endpoint) {
    return address == endpoint.address && port == endpoint.port;
  });
  return found == endpoints.end() ? std::nullopt : std::optional(*found);
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
  const std::string_view value = option.substr(space + 1);
  if (kind == "DNS" || kind == "DNS6") {
    const auto address = IpAddress::parse(value);
    if (address && settings.resolvers.size() < kDnsMax) {
      settings.resolvers.push_back(*address);
    }
  } else if ((kind == "DOMAIN" || kind == "DOMAIN-SEARCH" || kind == "ADAPTER_DOMAIN_SUFFIX") &&
             settings.search_domains.size() < kDnsMax && is_domain(value)) {
    settings.search_domains.emplace_back(value);
  }
}

/// One `dns server`, as far as a resolv.conf(5) can express it.
struct DnsServer {
  std::vector<IpAddress> addresses;
  std::vector<IpAddress> unusable;  ///< those at other ports; all of them if there is a `reason`
  std::string reason;               ///< why it cannot be asked
  bool is_split = false;
};

/// The server with this number; nothing if there are fewer.
std::optional<DnsServer> dns_server(const std::map<std::string, std::string>& environment,
                                    unsigned number) {
  const auto variable = [&](const std::string& name) {
    return value_of(environment, formatted("{}{}_{}", kDnsServer, number, name).c_str());
  };
  DnsServer server;
  std::vector<IpAddress> elsewhere;
  for (unsigned i = 1; i <= kDnsAddressesMax; ++i) {
    const std::string text = variable(formatted("address_{}", i));
    if (text.empty()) {
      break;
    }
    const std::string port = variable(formatted("port_{}", i));
    if (const auto address = IpAddress::parse(text)) {
      (port.empty() || port == "53" ? server.addresses : elsewhere).push_back(*address);
    }
  }
  if (server.addresses.empty() && elsewhere.empty()) {
    return std::nullopt;
  }
  const std::string transport = variable("transport");
  const std::string dnssec = variable("dnssec");
  server.is_split = !variable("resolve_domain_1").empty();
  if (!transport.empty() && transport != "plain") {
    server.reason = "it is to be asked over TLS or HTTPS";
  } else if (server.addresses.empty()) {
    server.reason = "it answers at another port than 53";
  } else if (dnssec == "yes") {
    server.reason = "its answers are to be checked by DNSSEC";
  }
  server.unusable = std::move(elsewhere);
  if (!server.reason.empty()) {
    server.unusable.insert(server.unusable.end(), server.addresses.begin(), server.addresses.end());
  }
  return server;
}

/// Adds the first server that can be asked, and the search domains. `left_out` gets the addresses
/// that must not be asked as plain resolvers.
void add_dns_options(const std::map<std::string, std::string>& environment,
                     TunnelSettings& settings, std::vector<IpAddress>& left_out) {
  for (unsigned i = 1; i <= kDnsServersMax; ++i) {
    const auto server = dns_server(environment, i);
    if (!server) {
      break;
    }
    left_out.insert(left_out.end(), server->unusable.begin(), server->unusable.end());
    if (server->reason.empty()) {
      settings.resolvers = server->addresses;
      settings.resolvers_are_split = server->is_split;
      break;
    }
    if (settings.resolvers_left_out.empty()) {
      settings.resolvers_left_out = server->reason;
    }
  }
  for (unsigned i = 1; i <= kDnsSearchMax && settings.search_domains.size() < kDnsMax; ++i) {
    const std::string domain = value_of(environment, formatted("{}{}", kDnsSearch, i).c_str());
    if (is_domain(domain)) {
      settings.search_domains.push_back(domain);
    }
  }
}

/// Adds what `dhcp-option` says, where the `dns` options say nothing.
void add_foreign_options(const std::map<std::string, std::string>& environment,
                         TunnelSettings& settings, const std::vector<IpAddress>& left_out) {
  TunnelSettings pushed;
  for (unsigned i = 1; i <= kForeignOptionsMax; ++i) {
    const std::string option = value_of(environment, formatted("{}{}", kForeignOption, i).c_str());
    if (option.empty()) {
      break;
    }
    add_foreign_option(option, pushed);
  }
  std::erase_if(pushed.resolvers, [&](const IpAddress& address) {
    return std::ranges::find(left_out, address) != left_out.end();
  });
  if (settings.resolvers.empty()) {
    settings.resolvers = std::move(pushed.resolvers);
  }
  if (settings.search_domains.empty()) {
    settings.search_domains = std::move(pushed.search_domains);
  }
}

}  // namespace

TunnelSettings settings_from_environment(const std::map<std::string, std::string>& environment,
                                         std::span<const Endpoint> endpoints) {
  TunnelSettings settings;
  add_address4(environment, settings);
  add_address6(environment, settings);
  if (settings.addresses.empty()) {
    throw Error("the server assigned no address");
  }
  std::vector<IpAddress> left_out;
  add_dns_options(environment, settings, left_out);
  add_foreign_options(environment, settings, left_out);
  const auto mtu = to_number<std::uint32_t>(value_of(environment, "tun_mtu"));
  if (mtu && *mtu >= kMtuMin && *mtu <= kMtuMax) {
    settings.mtu = *mtu;
  }
  settings.endpoint = endpoint_in_use(environment, endpoints);
  return settings;
}

void ManagementParser::feed(std::string_view bytes) {
  while (!bytes.empty() && !stopped_) {
    const auto end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() + part.size() > kLineMax) {
      throw Error(formatted("the VPN client reports a line of more than {} bytes", kLineMax));
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
  } else if (take(">BYTECOUNT:")) {
    bytes(text);
  } else if (take(">PASSWORD:")) {
    password(text);
  } else if (take(">FATAL:")) {
    events_.on_fatal(text);
  } else if (take(">INFOMSG:")) {
    events_.on_info_message(text);
  }
  // everything else (SUCCESS:, >INFO:, >LOG:) is of no consequence here
}

/// "1234,5678": received, sent
void ManagementParser::bytes(std::string_view text) const {
  if (const auto received = to_number<std::uint64_t>(text.substr(0, text.find(',')))) {
    events_.on_bytes(*received);
  }
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
    throw Error(formatted(
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
    events_.on_auth_token();  // the token itself stays between OpenVPN and the server
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
  quoted.reserve(2 * text.size() + 2);  // no reallocation, which would leave a copy of a password
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
