// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>

namespace vpnrun::service {

/// When the next attempt begins. Pure: it is told what time it is, and holds no timer.
///
/// The first retry comes after kFirstRetry, each further one after twice the pause before, up to
/// kLastRetry. Having connected does not end that, having stayed connected for kSettled does: a
/// server that lets the client in and throws it out at once is tried as rarely as one that does not
/// answer. The worst that a server can do is to let four connections in a row fail and the fifth
/// live for kSettled, over and over: five in 16.2 s. No server gets more than 11 attempts and one
/// more for each 3.24 s; one that throws out at once gets 10 in two minutes, then one a minute.
class Attempts {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  static constexpr milliseconds kFirstRetry{200};
  static constexpr milliseconds kLastRetry{60'000};
  /// A connection that lived for less counts as one more failure.
  static constexpr milliseconds kSettled{10'000};
  /// Between the beginnings of two attempts that were asked for, by a person or by news of the
  /// host.
  static constexpr milliseconds kAsked{1'000};

  /// An attempt begins, with the look-up of names.
  void begin(Clock::time_point now);
  void connected(Clock::time_point now);

  /// The attempt failed, or the connection ended: how long until the next attempt.
  [[nodiscard]] milliseconds ended(Clock::time_point now);
  /// Whoever waits, or news of the host, asks for an attempt: how long until it may begin.
  [[nodiscard]] milliseconds asked(Clock::time_point now) const noexcept;
  /// What failed before says nothing about now: ordered anew, the host is back, or slept.
  void forget() noexcept;

 private:
  unsigned failures_ = 0;  ///< in a row
  std::optional<Clock::time_point> begun_;
  std::optional<Clock::time_point> connected_;
};

}  // namespace vpnrun::service
