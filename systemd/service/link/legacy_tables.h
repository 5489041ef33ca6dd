// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "systemd/service/link/legacy_table.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// The old tables of one network namespace. Every call throws Error.
class LegacyTables {
 public:
  LegacyTables() = default;
  LegacyTables(const LegacyTables&) = delete;
  LegacyTables& operator=(const LegacyTables&) = delete;
  LegacyTables(LegacyTables&&) = delete;
  LegacyTables& operator=(LegacyTables&&) = delete;
  virtual ~LegacyTables() = default;

  /// Those that somebody uses; none is made by asking. Cheap.
  [[nodiscard]] virtual std::vector<std::string> names() = 0;
  /// One of names().
  [[nodiscard]] virtual LegacyTable read(const std::string& name) = 0;
  /// Changes an edit of what is there; false: nothing is to be done.
  using Change = std::function<bool(LegacyEdit&)>;
  /// Loads the changed table in place of what is there, whole or not at all, and with the counters
  /// of all rules that stay. If somebody else changes it meanwhile, `change` is called again.
  virtual void change(const std::string& name, const Change& change) = 0;
};

/// The kernel's, by the socket options of linux/netfilter_ipv4/ip_tables.h. Needs CAP_NET_ADMIN. A
/// kernel may be without them: then there are none.
class KernelLegacyTables final : public LegacyTables {
 public:
  /// `netns` is borrowed.
  explicit KernelLegacyTables(Netns& netns) : netns_(netns) {}

  [[nodiscard]] std::vector<std::string> names() override;
  [[nodiscard]] LegacyTable read(const std::string& name) override;
  /// Under the lock that iptables(8) takes.
  void change(const std::string& name, const Change& change) override;

 private:
  Netns& netns_;
};

}  // namespace vpnrun::service
