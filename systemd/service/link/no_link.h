// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/link/link.h"

namespace vpnrun::service {

/// For a profile without a tunnel: nothing leads out of its namespace, and nothing needs to. Makes
/// and changes nothing; no call fails.
class NoLink final : public Link {
 public:
  [[nodiscard]] std::optional<UnusableAddress> check(const IpAddress& address) override {
    return UnusableAddress{address.str() + " cannot be reached: the profile has no link", ""};
  }
  void open(const std::vector<Endpoint>& /*endpoints*/) override {}
  void settled() override {}
  [[nodiscard]] std::optional<LinkAddresses> addresses() const override { return std::nullopt; }
};

}  // namespace vpnrun::service
