// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/features.h"

#include <algorithm>

namespace vpnrun::feature {
namespace {

/// Each member and command that is not as old as the protocol itself has its line here.
std::vector<std::string_view> taken_by(const ControlRequest& request) {
  std::vector<std::string_view> features;
  const auto take = [&features](bool is_used, std::string_view feature) {
    if (is_used) {
      features.push_back(feature);
    }
  };
  take(request.command == Command::kRestart, kRestart);
  take(request.command == Command::kAnswer, kAnswer);
  take(request.command == Command::kLog, kLog);
  take(!request.response.empty(), kOneTimePasswords);
  take(request.command == Command::kInbound, kInbound);
  take(request.follow, kFollow);
  take(request.asks, kAsks);
  return features;
}

}  // namespace

std::vector<std::string> own() {
  std::vector<std::string> names = first();
  for (const std::string_view since : {kInbound, kLog}) {
    names.emplace_back(since);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> first() {
  std::vector<std::string> names;
  for (const std::string_view name : {kAnswer, kAsks, kFollow, kOneTimePasswords, kRestart}) {
    names.emplace_back(name);
  }
  return names;
}

std::optional<std::string_view> missing(const ControlRequest& request,
                                        const std::vector<std::string>& features) {
  for (const std::string_view feature : taken_by(request)) {
    if (std::find(features.begin(), features.end(), feature) == features.end()) {
      return feature;
    }
  }
  return std::nullopt;
}

}  // namespace vpnrun::feature
