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

std::uint16_t parse_port_number(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) {
    throw Error(fmt::format("'{}' is not a port: expected 1 to 65535", printable(text)));
  }
  return port;
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
      fmt::format("'{}' is not a client's protocol: expected udp, udp4, udp6, tcp, tcp4, "
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

void RemoteList::add(Arguments arguments) {
  if (arguments.empty() || arguments.size() > 3) {
    throw Error("expected 'remote HOST [PORT [PROTOCOL]]'");
  }
  Line line;
  line.host = arguments[0];
  line.in_connection = in_connection_;
  if (!is_host_name(line.host) && !is_ipv6(line.host)) {
    throw Error(
        fmt::format("'{}' is not a host: expected a name or an IP address", printable(line.host)));
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

void RemoteList::end_connection() {
  if (lines_.size() != first_of_connection_ + 1) {
    throw Error("a <connection> block needs one 'remote'");
  }
  lines_.back().settings = connection_;
  in_connection_ = false;
  has_connection_ = true;
}

std::vector<Remote> RemoteList::finish() const {
  std::vector<Remote> remotes;
  for (const Line& line : lines_) {
    if (line.in_connection != has_connection_) {
      continue;
    }
    Settings settings = line.settings;
    if (!line.in_connection) {
      settings.fill_from(defaults_);
    }
    Remote remote{line.host, settings.port.value_or(kDefaultPort),
                  settings.transport.value_or(Transport::kUdp)};
    if (!forced_transport_ || *forced_transport_ == remote.transport) {
      remotes.push_back(std::move(remote));
    }
  }
  if (remotes.empty()) {
    throw Error(lines_.empty()
                    ? "the file names no server: expected 'remote HOST [PORT [PROTOCOL]]'"
                    : "'proto-force' leaves no server");
  }
  return remotes;
}

}  // namespace vpnrun::profile
