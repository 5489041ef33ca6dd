// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <string_view>

// systemd starts a companion that has failed again after the same short while each time, and
// without end: what made it fail may pass. So that one that fails each time does not take the
// machine's and the server's time, those that come after a few failures in a row wait before they
// begin.
namespace vpnrun::service {

/// Companions of a profile that failed, one after the other: were killed, hung, or could not start.
struct FailedRuns {
  /// Since boot; it is compared with what another process read.
  using Clock = std::chrono::steady_clock;
  using seconds = std::chrono::seconds;

  /// As many are started again at once.
  static constexpr unsigned kFree = 4;
  static constexpr seconds kFirstPause{5};
  static constexpr seconds kLastPause{30};
  /// Failures that are further apart are not in a row.
  static constexpr seconds kForgotten{600};

  unsigned in_a_row = 0;
  seconds last{0};  ///< when the last of them ended
  friend bool operator==(const FailedRuns&, const FailedRuns&) = default;

  /// With one more that ends now.
  [[nodiscard]] FailedRuns and_one(seconds now) const noexcept;
  /// How long a companion that is started now waits.
  [[nodiscard]] seconds pause(seconds now) const noexcept;
};

/// FailedRuns::Clock's time.
[[nodiscard]] FailedRuns::seconds failed_runs_time() noexcept;

/// One line of text, and back; none for a text that is not of this form.
[[nodiscard]] std::string to_text(const FailedRuns& runs);
[[nodiscard]] FailedRuns failed_runs_from(std::string_view text) noexcept;

/// Those that are remembered in the profile's directory; none if it cannot be read.
[[nodiscard]] FailedRuns failed_runs_in(int directory) noexcept;
/// Throws Error.
void remember_failed_runs(int directory, const FailedRuns& runs);
void forget_failed_runs(int directory) noexcept;

}  // namespace vpnrun::service
