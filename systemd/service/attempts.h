// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>

#include "profiles/protocol/status.h"
#include "systemd/service/client/failure.h"

namespace vpnrun::service {

/// Which state a tunnel is in, and when the next attempt begins. Pure: it is told what happened and
/// what time it is, and holds no timer. No call fails.
///
/// The first retry comes after kFirstRetry, each further one after twice the pause before, up to
/// kLastRetry. Connecting does not reset that, staying connected for kSettled does: a server that
/// lets the client in and throws it out at once is tried as rarely as one that does not answer. The
/// worst that a server can do is to let four connections in a row fail and the fifth live for
/// kSettled, over and over: five in 16.2 s. No server gets more than 11 attempts and one more for
/// each 3.24 s; one that throws out at once gets 10 in two minutes, then one a minute.
class Attempts {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  static constexpr milliseconds kFirstRetry{200};
  static constexpr milliseconds kLastRetry{60'000};
  /// A connection that lasted for less counts as one more failure.
  static constexpr milliseconds kSettled{10'000};
  /// The least time between the beginnings of two attempts that a person or a change of the host
  /// asked for.
  static constexpr milliseconds kAsked{1'000};

  /// What is to happen now.
  struct Next {
    State state = State::kDown;
    /// How long until the attempt begins (zero: now), in place of what was planned before. nullopt:
    /// none begins unasked.
    std::optional<milliseconds> retry;
    /// The first connection failed for good: nobody waits for this companion any longer.
    bool ends_process = false;
    friend bool operator==(const Next&, const Next&) = default;
  };

  [[nodiscard]] State state() const noexcept { return state_; }

  /// Somebody orders the tunnel up, or asks for an attempt. nullopt: it is up, or on its way.
  [[nodiscard]] std::optional<Next> up(Clock::time_point now) noexcept;
  [[nodiscard]] Next down() noexcept;
  /// To be called when the planned attempt begins, with the look-up of names.
  void begin(Clock::time_point now) noexcept;
  [[nodiscard]] Next connected(Clock::time_point now) noexcept;
  /// The attempt failed, or the connection ended.
  [[nodiscard]] Next ended(const Failure& failure, Clock::time_point now) noexcept;
  /// News that makes an attempt worthwhile: the host is back online, or slept. nullopt: none is
  /// planned.
  [[nodiscard]] std::optional<Next> hurry(Clock::time_point now) noexcept;
  /// Earlier failures say nothing about the next attempt.
  void forget() noexcept { failures_ = 0; }
  /// Nothing can be built from the configuration: final until the next order.
  [[nodiscard]] Next unusable() noexcept;

 private:
  [[nodiscard]] Next plan(milliseconds retry) noexcept;
  [[nodiscard]] milliseconds asked(Clock::time_point now) const noexcept;

  State state_ = State::kDown;
  bool planned_ = false;   ///< an attempt is to begin
  bool was_up_ = false;    ///< ever, since this companion started
  unsigned failures_ = 0;  ///< in a row
  std::optional<Clock::time_point> begun_;
  std::optional<Clock::time_point> connected_;
};

}  // namespace vpnrun::service
