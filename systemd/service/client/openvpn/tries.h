// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace vpnrun::service::openvpn {

/// Decides, within one attempt, whether a process that is back at its hold may be released at once.
/// OpenVPN leaves all waiting to the management side (management-notes.txt, "hold"), and would come
/// back within milliseconds, again and again. Pure: it is told what time it is.
class Tries {
 public:
  using Clock = std::chrono::steady_clock;

  /// A process that is back at its hold sooner than this after it was released got nowhere.
  static constexpr std::chrono::milliseconds kQuick{1'000};

  /// The process is released for its next try.
  void release_hold(Clock::time_point now) noexcept;
  /// True once for each of its `servers`, and whenever the previous try lasted for a while.
  /// Otherwise the attempt has failed.
  [[nodiscard]] bool may_go_on(Clock::time_point now, std::size_t servers) const noexcept;

  /// How often it was released.
  [[nodiscard]] std::size_t count() const noexcept { return tries_; }

 private:
  std::size_t tries_ = 0;
  std::optional<Clock::time_point> released_;
};

}  // namespace vpnrun::service::openvpn
