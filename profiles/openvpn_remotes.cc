// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_remotes.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "profiles/base/error.h"

namespace vpnrun::profile {
namespace {

constexpr std::uint16_t kDefaultPort = 1194;

std::optional<std::uint16_t> number_of_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end && port != 0 ? std::optional(port) : std::nullopt;
}

/// A number, or the name of a service: of those that servers hide behind.
std::uint16_t parse_port_number(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::uint16_t>, 6> kServices = {
      {{"openvpn", 1194}, {"https", 443}, {"http", 80}, {"domain", 53}, {"ntp", 123}, {"ssh", 22}}};
  for (const auto& [name, port] : kServices) {
    if (text == name) {
      return port;
    }
  }
  if (const auto port = number_of_port(text)) {
    return *port;
  }
  throw Error(formatted("'{}' is not a port: expected 1 to 65535", printable(text)));
}

Transport parse_protocol(const std::string& text) {
  constexpr std::array<std::string_view, 3> kUdp = {"udp", "udp4", "udp6"};
  constexpr std::array<std::string_view, 6> kTcp = {"tcp",        "tcp4",        "tcp6",
                                                    "tcp-client", "tcp4-client", "tcp6-client"};
  if (std::find(kUdp.begin(), kUdp.end(), text) != kUdp.end()) {
    return Transport::kUdp;
  }
  if (std::find(kTcp.begin(), kTcp.end(), text) != kTcp.end()) {
    return Transport::kTcp;
  }
  throw Error(
      formatted("'{}' is not a client's protocol: expected udp, udp4, udp6, tcp, tcp4, "
                "tcp6, tcp-client, tcp4-client or tcp6-client",
                printable(text)));
}

bool is_host_name(std::string_view text) {
  constexpr std::size_t kHostMax = 253;
  static constexpr std::string_view kOthers = "-._";
  return !text.empty() && text.size() <= kHostMax && text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != std::string_view::npos;
         });
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

/// How to write what is no host but was meant to be one; empty: unknown.
std::string remedy_for_host(std::string_view text) {
  std::string_view rest = text;
  std::string_view protocol;
  if (const std::size_t mark = rest.find("://"); mark != std::string_view::npos) {
    protocol = rest.substr(0, mark);
    rest.remove_prefix(mark + 3);
    protocol = protocol.starts_with("tcp") || protocol.starts_with("udp") ? protocol.substr(0, 3)
                                                                          : std::string_view();
    rest = rest.substr(0, rest.find('/'));
  }
  std::string_view port;
  const std::size_t colon = rest.rfind(':');
  const bool in_brackets = rest.starts_with('[');
  if (in_brackets) {
    const std::size_t end = std::min(rest.find(']'), rest.size());
    if (colon != std::string_view::npos && colon > end) {
      port = rest.substr(colon + 1);
    }
    rest = rest.substr(1, end - 1);
  } else if (colon != std::string_view::npos && rest.find(':') == colon) {
    port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  const std::string host(rest);
  if (rest.size() == text.size() || (!is_host_name(rest) && !is_ipv6(host)) ||
      (!port.empty() && !number_of_port(port))) {
    return {};
  }
  if (port.empty() && !protocol.empty()) {
    port = "PORT";
  }
  return formatted("write 'remote {}{}{}{}{}'", host, port.empty() ? "" : " ", port,
                   protocol.empty() ? "" : " ", protocol);
}

[[noreturn]] void refuse_host(const std::string& text) {
  const std::string shown = printable(text);
  if (const std::string remedy = remedy_for_host(text); !remedy.empty()) {
    throw Error(formatted("'{}' is not a host: {}", shown, remedy));
  }
  const bool is_international = std::any_of(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (is_international) {
    throw Error(
        formatted("'{}' is not a host: write an international name in its xn-- form, "
                  "which idn2(1) shows",
                  shown));
  }
  throw Error(formatted("'{}' is not a host: expected a name or an IP address", shown));
}

const std::string& single(RemoteList::Arguments arguments) {
  if (arguments.size() != 1) {
    throw Error("expected one argument");
  }
  return arguments.front();
}

}  // namespace

bool is_address_literal(const std::string& text) {
  const std::string address = text.substr(0, text.find('/'));
  in_addr parsed{};
  return ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 || is_ipv6(address);
}

void RemoteList::Settings::fill_from(const Settings& other) {
  port = port ? port : other.port;
  transport = transport ? transport : other.transport;
}

void RemoteList::add(Arguments arguments, std::size_t place) {
  names_any_ = true;
  if (arguments.empty() || arguments.size() > 3) {
    throw Error("expected 'remote HOST [PORT [PROTOCOL]]'");
  }
  Line line;
  line.host = arguments[0];
  line.in_connection = in_connection_;
  line.line = place;
  if (!is_host_name(line.host) && !is_ipv6(line.host)) {
    refuse_host(line.host);
  }
  if (arguments.size() > 1) {
    line.settings.port = parse_port_number(arguments[1]);
  }
  if (arguments.size() > 2) {
    line.settings.transport = parse_protocol(arguments[2]);
  }
  if (in_connection_) {
    Settings latest = line.settings;
    latest.fill_from(connection_);
    connection_ = latest;
  }
  lines_.push_back(std::move(line));
}

void RemoteList::set_port(Arguments arguments) {
  current().port = parse_port_number(single(arguments));
}

void RemoteList::set_protocol(Arguments arguments) {
  current().transport = parse_protocol(single(arguments));
}

void RemoteList::force_protocol(Arguments arguments) {
  forced_transport_ = parse_protocol(single(arguments));
}

void RemoteList::begin_connection() {
  connection_ = defaults_;
  first_of_connection_ = lines_.size();
  in_connection_ = true;
}

std::size_t RemoteList::end_connection() {
  in_connection_ = false;
  if (lines_.size() == first_of_connection_) {
    return 0;
  }
  has_connection_ = true;
  lines_.back().settings = connection_;
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(first_of_connection_),
               lines_.end() - 1);
  return lines_.back().line;
}

void RemoteList::leave_out(std::size_t place) {
  for (Line& line : lines_) {
    line.left_out = line.left_out || line.line == place;
  }
}

std::vector<Remote> RemoteList::finish() const {
  std::vector<Remote> remotes;
  bool has_usable = false;
  for (const Line& line : lines_) {
    if (line.in_connection != has_connection_) {
      continue;
    }
    if (line.left_out) {
      continue;
    }
    has_usable = true;
    Settings settings = line.settings;
    if (!line.in_connection) {
      settings.fill_from(defaults_);
    }
    Remote remote{line.host, settings.port.value_or(kDefaultPort),
                  settings.transport.value_or(Transport::kUdp), false, line.line};
    if (!forced_transport_ || *forced_transport_ == remote.transport) {
      remotes.push_back(std::move(remote));
    }
  }
  if (remotes.empty()) {
    if (has_usable) {
      throw Error("'proto-force' leaves no server");
    }
    throw Error(names_any_ ? "the file names no server that can be used"
                           : "the file names no server: expected 'remote HOST [PORT [PROTOCOL]]'");
  }
  return remotes;
}

}  // namespace vpnrun::profile
