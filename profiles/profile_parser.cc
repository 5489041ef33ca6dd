// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_parser.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "helper/base/name.h"
#include "profiles/base/error.h"
#include "profiles/nearest.h"
#include "profiles/profile_toml.h"
#include "profiles/profile_values.h"

namespace vpnrun::profile {
namespace {

constexpr std::array<std::string_view, 9> kTopKeys = {
    "description", "tunnel", "link", "dns", "namespace", "application", "access", "ports", "hooks"};
constexpr std::array<std::string_view, 4> kTunnelKeys = {"type", "config", "credentials",
                                                         "idle_stop"};
constexpr std::array<std::string_view, 4> kLinkKeys = {"type", "subnet", "uplink", "firewall"};
constexpr std::array<std::string_view, 3> kDnsKeys = {"servers", "search", "capture"};
constexpr std::array<std::string_view, 1> kNamespaceKeys = {"name_host"};
constexpr std::array<std::string_view, 2> kApplicationKeys = {"no_new_privs", "i386"};
constexpr std::array<std::string_view, 3> kAccessKeys = {"users", "groups", "from_namespaces"};
constexpr std::array<std::string_view, 2> kPortsKeys = {"expose", "inbound"};
constexpr std::array<std::string_view, 4> kHooksKeys = {"up_outside", "up_inside", "down_inside",
                                                        "down_outside"};

constexpr std::array<std::string_view, 4> kTunnelTypes = {"openvpn", "wireguard", "exec", "none"};
constexpr std::array<std::string_view, 3> kLinkTypes = {"veth", "direct", "macvlan"};

constexpr std::array<std::string_view, 2> kFirewalls = {"report", "integrate"};

constexpr const char* kAuto = "auto";

std::string parse_path(const std::string& text, const std::string& profile_path) {
  if (text.empty() || text.ends_with('/')) {
    throw Error(formatted("'{}' is not the name of a file", printable(text)));
  }
  const std::filesystem::path folder = std::filesystem::absolute(profile_path).parent_path();
  return (folder / text).string();  // an absolute `text` replaces the folder
}

void read_tunnel(const Section& section, const std::string& path, Tunnel& tunnel) {
  const auto as_path = [&path](const std::string& text) { return parse_path(text, path); };
  section.read_choice("type", kTunnelTypes, tunnel.type);
  section.read("config", as_path, tunnel.config);
  section.read("credentials", as_path, tunnel.credentials);
  section.read("idle_stop", parse_idle_time, tunnel.idle_stop);

  const std::string_view type = kTunnelTypes.at(static_cast<std::size_t>(tunnel.type));
  if (tunnel.type == TunnelType::kNone && section.has("config")) {
    section.fail("config", "type \"none\" has no configuration file");
  }
  if (tunnel.type != TunnelType::kNone && !section.has("config")) {
    section.fail("", formatted("'config' is missing: type \"{}\" needs a configuration file "
                               "(config = \"FILE\")",
                               type));
  }
  if (section.has("credentials") && tunnel.type != TunnelType::kOpenvpn) {
    section.fail("credentials", formatted("type \"{}\" takes no credentials file; only type "
                                          "\"openvpn\" does",
                                          type));
  }
}

void read_link(const Section& section, Link& link) {
  section.read_choice("type", kLinkTypes, link.type);
  section.read(
      "subnet",
      [](const std::string& text) -> std::optional<Prefix> {
        return text == kAuto ? std::nullopt : std::optional(parse_subnet(text));
      },
      link.subnet);
  section.read(
      "uplink",
      [](const std::string& text) { return text == kAuto ? "" : parse_interface_name(text); },
      link.uplink);
  section.read_choice("firewall", kFirewalls, link.firewall);
}

/// For a list of which each entry counts once: a second one is a slip, and what the file means is
/// asked for rather than guessed.
template <class T, class Parse>
void read_set(const Section& section, std::string_view key, Parse parse, std::vector<T>& list) {
  section.read_list(
      key,
      [&list, parse](const std::string& text) {
        T value = parse(text);
        if (std::find(list.begin(), list.end(), value) != list.end()) {
          throw Error(formatted("'{}' is listed twice", printable(text)));
        }
        return value;
      },
      list);
}

std::string parse_hook(const std::string& text) {
  if (text.find_first_not_of(' ') == std::string::npos) {
    throw Error("the command is empty: expected a line for /bin/sh -c");
  }
  return text;
}

void read_hooks(const Section& section, Hooks& hooks) {
  section.read_list("up_outside", parse_hook, hooks.up_outside);
  section.read_list("up_inside", parse_hook, hooks.up_inside);
  section.read_list("down_inside", parse_hook, hooks.down_inside);
  section.read_list("down_outside", parse_hook, hooks.down_outside);
}

}  // namespace

Profile parse_profile(std::string_view text, const std::string& name, const std::string& path) {
  if (!is_valid_profile_name(name)) {
    throw Error(
        formatted("cannot use profile name '{}': expected at most 32 of a-z, 0-9, '_' "
                  "and '-', the first a letter or digit",
                  printable(name)));
  }
  const Document document(text, path);
  Profile profile;
  profile.name = name;
  profile.path = path;

  const Section top = document.top(kTopKeys);
  top.read(
      "description", [](const std::string& value) { return value; }, profile.description);
  read_tunnel(document.section("tunnel", kTunnelKeys), path, profile.tunnel);
  read_link(document.section("link", kLinkKeys), profile.link);

  const Section dns = document.section("dns", kDnsKeys);
  dns.read_list("servers", parse_dns_server, profile.dns.servers);
  dns.read_list("search", parse_search_domain, profile.dns.search);
  dns.read("capture", profile.dns.capture);

  document.section("namespace", kNamespaceKeys)
      .read("name_host", parse_namespace_name, profile.network_namespace.name_host);
  const Section application = document.section("application", kApplicationKeys);
  application.read("no_new_privs", profile.application.no_new_privs);
  application.read("i386", profile.application.i386);

  const Section access = document.section("access", kAccessKeys);
  read_set(access, "users", parse_account_name, profile.access.users);
  read_set(access, "groups", parse_account_name, profile.access.groups);
  profile.access.user_places = access.places("users");
  profile.access.group_places = access.places("groups");
  access.read("from_namespaces", profile.access.from_namespaces);

  const Section ports = document.section("ports", kPortsKeys);
  read_set(ports, "expose", parse_port, profile.ports.expose);
  read_set(ports, "inbound", parse_port, profile.ports.inbound);
  if (!profile.ports.expose.empty() && profile.link.type != LinkType::kVeth) {
    ports.fail("expose", "ports can be exposed over a link of type \"veth\" only");
  }

  read_hooks(document.section("hooks", kHooksKeys), profile.hooks);
  return profile;
}

}  // namespace vpnrun::profile
