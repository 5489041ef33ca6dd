// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/endpoints.h"

#include <algorithm>
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
      fmt::format("the name '{}' does not lead to a server: {}", printable(name), unusable.reason),
      hint};
}

/// `first` is the configuration's first server; there may be an answer for it.
Failure unresolved(const std::string& first, const NameLookup::Result& result) {
  auto error = result.errors.find(first);
  if (error == result.errors.end()) {
    error = result.errors.begin();
  }
  const std::string& name = error == result.errors.end() ? first : error->first;
  return {Failure::Kind::kPassing,
          fmt::format("cannot resolve the server's name '{}': {}", printable(name),
                      error == result.errors.end() ? "no answer" : error->second),
          fmt::format("is this machine online? getent ahostsv4 {}", printable(name))};
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
        const Failure failure = no_server(server.host, *unusable);
        if (!refused || failure.kind < refused->kind) {
          refused = failure;
        }
      } else {
        endpoints.push_back(endpoint);
      }
    }
  }
  if (!endpoints.empty() ||
      (refused && (refused->kind == Failure::Kind::kPassing || result.errors.empty()))) {
    found.failure = refused;
  } else {
    found.failure = unresolved(servers.front().host, result);
  }
  return found;
}

void Endpoints::find(std::span<const profile::Remote> servers, Link& link, Callback callback) {
  std::set<std::string> names;
  for (const auto& server : servers) {
    names.insert(server.host);
  }
  names_.look_up({names.begin(), names.end()},
                 [servers, &link, next = std::move(callback)](const NameLookup::Result& result) {
                   Found found;
                   try {
                     found = choose_endpoints(servers, result, link);
                   } catch (const std::exception& error) {
                     found.failure = passing_failure(error);
                   }
                   next(found);
                 });
}

}  // namespace vpnrun::service
