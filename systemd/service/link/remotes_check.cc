// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/remotes_check.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "systemd/service/link/endpoint_check.h"

namespace vpnrun::service {
namespace {

/// Names that are looked up nowhere else than in /etc/hosts, if there.
bool is_this_host(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  name = lower;
  name.remove_suffix(name.ends_with('.') ? 1 : 0);
  return name == "localhost" || name.ends_with(".localhost") || name == "localhost.localdomain" ||
         name == "localhost4" || name == "localhost6" || name == "ip6-localhost" ||
         name == "ip6-loopback";
}

std::optional<UnusableAddress> check(const profile::Remote& remote) {
  if (const auto address = IpAddress::parse(remote.host)) {
    auto unusable = check_address(*address);
    return unusable && unusable->forever ? unusable : std::nullopt;
  }
  if (is_this_host(remote.host)) {
    auto unusable = check_address(*IpAddress::parse("127.0.0.1"));
    unusable->reason = formatted("{}, which is what '{}' means", unusable->reason, remote.host);
    return unusable;
  }
  return std::nullopt;
}

}  // namespace

void leave_out_unreachable(profile::OpenvpnConfig& config, profile::Findings& findings) {
  std::vector<std::pair<std::size_t, Error>> reasons;
  std::vector<LeftOut> entries;
  std::vector<profile::Remote> usable;
  for (const profile::Remote& remote : config.remotes) {
    const auto unusable = check(remote);
    if (!unusable) {
      usable.push_back(remote);
      continue;
    }
    reasons.emplace_back(
        remote.line,
        Error("the configuration names no usable server: " + unusable->reason, {},
              unusable->hint.empty() ? "let a 'remote' of the configuration name the server itself"
                                     : unusable->hint));
    entries.push_back({.directive = formatted("remote {}", remote.host),
                       .lines = {static_cast<std::uint32_t>(remote.line)},
                       .reason = formatted("{}; the others are used", unusable->reason),
                       .severity = Severity::kNotice});
  }
  if (usable.empty()) {
    for (const auto& [line, reason] : reasons) {
      findings.add(line, reason);
    }
    return;
  }
  config.remotes = std::move(usable);
  config.left_out.insert(config.left_out.end(), entries.begin(), entries.end());
}

void leave_out_unreachable(profile::OpenvpnConfig& config, const std::string& path) {
  profile::Findings findings(path);
  leave_out_unreachable(config, findings);
  findings.raise();
}

}  // namespace vpnrun::service
