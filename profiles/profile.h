// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/ip_address.h"

namespace vpnrun::profile {

enum class TunnelType : std::uint8_t { kOpenvpn, kWireguard, kExec, kNone };
/// What to do about a firewall of the machine that drops the tunnel's packets.
enum class Firewall : std::uint8_t { kReport, kIntegrate };
enum class LinkType : std::uint8_t { kVeth, kDirect, kMacvlan };

/// "tcp/9091"
struct Port {
  Transport transport = Transport::kTcp;
  std::uint16_t number = 0;
  /// As in a profile.
  [[nodiscard]] std::string str() const {
    return std::string(to_string(transport)) + '/' + std::to_string(number);
  }
  friend bool operator==(const Port&, const Port&) = default;
};

struct Tunnel {
  TunnelType type = TunnelType::kOpenvpn;
  std::string config;       ///< absolute path after loading; empty for type none
  std::string credentials;  ///< absolute path after loading; empty: asked for
  std::optional<std::chrono::seconds> idle_stop;  ///< stopped when unused that long; nullopt: never
};

struct Link {
  LinkType type = LinkType::kVeth;
  std::optional<Prefix> subnet;  ///< nullopt: "auto"; otherwise an IPv4 /30 without host bits
  std::string uplink;            ///< empty: "auto"
  Firewall firewall = Firewall::kReport;
};

struct Dns {
  std::vector<IpAddress> servers;  ///< empty: what the tunnel pushes
  std::vector<std::string> search;
  bool capture = true;
};

struct Application {
  bool no_new_privs = false;  ///< no setuid program gives an application anything
  bool i386 = false;          ///< 32-bit x86 programs make sockets, of any family
};

struct Namespace {
  std::string name_host;  ///< what `ip netns` calls the host's own namespace; empty: nothing
};

struct Access {
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> user_places;   ///< "FILE:LINE:COLUMN" of each of `users`
  std::vector<std::string> group_places;  ///< and of each of `groups`
  bool from_namespaces = false;  ///< callers in another network namespace than the machine's, too
};

struct Ports {
  std::vector<Port> expose;
  std::vector<Port> inbound;
};

struct Hooks {
  std::vector<std::string> up_outside;
  std::vector<std::string> up_inside;
  std::vector<std::string> down_inside;
  std::vector<std::string> down_outside;
};

/// One /etc/vpnrun/profiles/NAME.toml, checked as a whole: a Profile exists only if every key of
/// the file is known and every value is allowed.
struct Profile {
  std::string name;
  std::string path;  ///< the file it was read from
  std::string description;
  Tunnel tunnel;
  Link link;
  Dns dns;
  Application application;
  Namespace network_namespace;
  Access access;
  Ports ports;
  Hooks hooks;
};

}  // namespace vpnrun::profile
