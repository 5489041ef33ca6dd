// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "systemd/service/client/failure.h"
#include "systemd/service/link/captive_portal.h"

namespace vpnrun::service {

/// What is known, during one attempt, of why it may fail. Client, link and network each see
/// something of it; this decides which of it a person is told. Pure.
class Diagnosis {
 public:
  /// The client has noticed something that is likely to end the attempt, and goes on. The last one
  /// counts.
  void noticed(const Failure& failure) { noticed_ = failure; }
  [[nodiscard]] const std::optional<Failure>& noticed() const noexcept { return noticed_; }
  /// The link has found out what keeps its packets from the server: that explains whatever follows.
  void blocked(const Failure& failure) { blocked_ = failure; }
  /// What the network seems to have in front of it.
  void behind(const std::optional<Portal>& portal) { portal_ = portal; }

  /// Whether what is told already explains more than `failure`, which the client has noticed.
  /// `waits_for_login`: a person is told to log in with a browser.
  [[nodiscard]] bool covers(const Failure& failure, bool waits_for_login) const noexcept;
  /// What to tell of an attempt that has ended with `failure`.
  [[nodiscard]] Failure reason(const Failure& failure) const;
  /// The same of one that has ended with nothing at all, for as long as anybody waits. `server`:
  /// its endpoint, or words for it.
  [[nodiscard]] Failure reason_of_silence(const std::string& server, bool waits_for_login) const;

 private:
  std::optional<Failure> noticed_;
  std::optional<Failure> blocked_;
  std::optional<Portal> portal_;
};

}  // namespace vpnrun::service
