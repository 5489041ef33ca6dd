// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/endpoints.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// `name` was resolved to `unusable`, or is that address itself.
Failure no_server(const std::string& name, const UnusableAddress& unusable) {
  if (IpAddress::parse(name)) {
    return {unusable.forever ? Failure::Kind::kSetup : Failure::Kind::kPassing,
            "the configuration names no usable server: " + unusable.reason,
            unusable.hint.empty() ? "let a 'remote' of the configuration name the server itself"
                                  : unusable.hint};
  }
  std::string hint = unusable.hint;
  if (unusable.resolvers_block) {
    hint =
        "a DNS filter that blocks a name answers like that: let it answer this one, or ask "
        "another resolver" +
        (hint.empty() ? hint : "; " + hint);
  }
  return {
      Failure::Kind::kPassing,
      formatted("the name '{}' does not lead to a server: {}", printable(name), unusable.reason),
      hint};
}

/// There may be an answer for the first of `servers`.
Failure unresolved(std::span<const profile::Remote> servers, const NameLookup::Result& result) {
  const std::string& first = servers.front().host;
  auto error = result.errors.find(first);
  if (error == result.errors.end()) {
    error = result.errors.begin();
  }
  const std::string& name = error == result.errors.end() ? first : error->first;
  const bool has_label = std::any_of(servers.begin(), servers.end(), [&name](const auto& server) {
    return server.host == name && server.random_label;
  });
  return {Failure::Kind::kPassing,
          formatted("cannot resolve the server's name '{}': {}", printable(name),
                    error == result.errors.end() ? "no answer" : error->second),
          formatted("is this machine online? getent ahostsv4 {}{}", has_label ? "x." : "",
                    printable(name))};
}

/// As `remote-random-hostname` asks for it: twelve hexadecimal digits.
std::string random_label() {
  std::random_device device;
  return formatted("{:08x}{:04x}", device(), device() & 0xFFFFU);
}

/// All that are not usable are IPv6, and there is no other.
bool has_only_ipv6(const std::vector<IpAddress>& addresses) {
  return std::none_of(addresses.begin(), addresses.end(),
                      [](const IpAddress& address) { return address.is_ipv4(); });
}

/// Its own servers' names in place of those that were looked up.
NameLookup::Result by_server(const NameLookup::Result& result,
                             const std::map<std::string, std::string>& names) {
  NameLookup::Result translated;
  const auto own = [&names](const std::string& name) {
    const auto found = names.find(name);
    return found == names.end() ? name : found->second;
  };
  for (const auto& [name, addresses] : result.addresses) {
    translated.addresses[own(name)] = addresses;
  }
  for (const auto& [name, error] : result.errors) {
    translated.errors[own(name)] = error;
  }
  return translated;
}

/// Why `address`, one of `all` of `name`, is not used.
Failure refusal(const std::string& name, const IpAddress& address,
                const std::vector<IpAddress>& all, const UnusableAddress& unusable) {
  Failure failure = no_server(name, unusable);
  if (!IpAddress::parse(name) && has_only_ipv6(all)) {
    failure.error = formatted(
        "the name '{}' has IPv6 addresses only, such as {}, which the link to the server cannot "
        "carry",
        printable(name), address.str());
  }
  return failure;
}

/// Of two, the one that may pass with time.
Failure more_hopeful(const std::optional<Failure>& one, const Failure& other) {
  return !one || other.kind < one->kind ? other : *one;
}

}  // namespace

Endpoints::Found choose_endpoints(std::span<const profile::Remote> servers,
                                  const NameLookup::Result& result, Link& link) {
  Endpoints::Found found;
  auto& endpoints = found.endpoints;
  std::optional<Failure> refused;  // if there are several, one that may pass with time
  for (const auto& server : servers) {
    const auto addresses = result.addresses.find(server.host);
    if (addresses == result.addresses.end()) {
      continue;
    }
    for (const auto& address : addresses->second) {
      const Endpoint endpoint{address, server.transport, server.port};
      if (std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end() ||
          endpoints.size() >= Endpoints::kMost) {
        continue;
      }
      if (const auto unusable = link.check(address)) {
        refused =
            more_hopeful(refused, refusal(server.host, address, addresses->second, *unusable));
      } else {
        endpoints.push_back(endpoint);
      }
    }
  }
  if (!endpoints.empty() ||
      (refused && (refused->kind == Failure::Kind::kPassing || result.errors.empty()))) {
    found.failure = refused;
  } else {
    found.failure = unresolved(servers, result);
  }
  found.portal = recognise_portal(servers, result, link.portal_signs());
  return found;
}

void Endpoints::find(std::span<const profile::Remote> servers, Link& link, Callback callback) {
  const auto names = names_to_look_up(servers, random_label);
  std::vector<std::string> asked;
  asked.reserve(names.size());
  for (const auto& [name, server] : names) {
    asked.push_back(name);
  }
  names_.look_up(
      asked, [servers, &link, names, next = std::move(callback)](const NameLookup::Result& result) {
        Found found;
        try {
          found = choose_endpoints(servers, by_server(result, names), link);
        } catch (const std::exception& error) {
          found.failure = passing_failure(error);
        }
        next(found);
      });
}

std::map<std::string, std::string> names_to_look_up(std::span<const profile::Remote> servers,
                                                    const std::function<std::string()>& label) {
  std::map<std::string, std::string> names;
  std::set<std::string> done;
  for (const auto& server : servers) {
    if (done.insert(server.host).second) {
      const bool is_below = server.random_label && !IpAddress::parse(server.host);
      names.emplace(is_below ? label() + "." + server.host : server.host, server.host);
    }
  }
  return names;
}

}  // namespace vpnrun::service
