// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/remote.h"
#include "systemd/service/client/failure.h"
#include "systemd/service/link/link.h"
#include "systemd/service/link/resolver.h"

namespace vpnrun::service {

/// Where the servers of a configuration can be reached now: their names are looked up outside, and
/// the link says of each address whether it can be reached.
class Endpoints {
 public:
  /// No provider has more; whoever answers for a name does not decide how long the list becomes. If
  /// there are more addresses, the first ones count.
  static constexpr std::size_t kMost = 1024;

  /// In the servers' order, each once. `failure` says why there are no endpoints, or why some are
  /// left out.
  struct Found {
    std::vector<Endpoint> endpoints;
    std::optional<Failure> failure;
    std::optional<Portal> portal;  ///< if there is one, that is why an attempt fails
  };
  using Callback = std::function<void(const Found&)>;

  /// `names` is borrowed.
  explicit Endpoints(NameLookup& names) : names_(names) {}

  /// Calls back once, never from within this call; not if cancel() comes first. `servers` and
  /// `link` are borrowed until then. Throws Error.
  void find(std::span<const profile::Remote> servers, Link& link, Callback callback);
  void cancel() noexcept { names_.cancel(); }

 private:
  NameLookup& names_;
};

/// The names to look up for `servers`, each once, with the servers' own: another one below it for
/// those with Remote::random_label, by `label`; nothing for an address.
[[nodiscard]] std::map<std::string, std::string> names_to_look_up(
    std::span<const profile::Remote> servers, const std::function<std::string()>& label);

/// What Endpoints::find() makes of the answer. `servers` has at least one. Throws what
/// Link::check() throws.
[[nodiscard]] Endpoints::Found choose_endpoints(std::span<const profile::Remote> servers,
                                                const NameLookup::Result& result, Link& link);

}  // namespace vpnrun::service
