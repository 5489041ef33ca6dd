// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/inbound.h"

#include <algorithm>
#include <cstddef>

#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun::service {
namespace {

/// A provider forwards a few ports, a game needs a dozen.
constexpr std::size_t kInboundMost = 256;

}  // namespace

std::vector<profile::Port> with_changes(std::vector<profile::Port> open,
                                        const std::vector<profile::Port>& add,
                                        const std::vector<profile::Port>& remove) {
  const std::size_t before = open.size();
  for (const auto& port : remove) {
    open.erase(std::remove(open.begin(), open.end(), port), open.end());
  }
  for (const auto& port : add) {
    if (std::find(open.begin(), open.end(), port) == open.end()) {
      open.push_back(port);
    }
  }
  if (open.size() > kInboundMost && open.size() > before) {
    throw Error(formatted("no more than {} ports can be open", kInboundMost));
  }
  return open;
}

std::string text_of(const std::vector<profile::Port>& ports) {
  std::string text;
  for (const auto& port : ports) {
    text += (text.empty() ? "" : ", ") + port.str();
  }
  return text.empty() ? "none" : text;
}

}  // namespace vpnrun::service
