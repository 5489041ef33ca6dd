// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>

#include "profiles/protocol/status.h"
#include "systemd/service/client/failure.h"

namespace vpnrun::service {

/// Decides which state a tunnel is in, and when the next attempt begins. Pure: it is told what
/// happened and what time it is, and holds no timer. No call fails.
///
/// The first retry comes after kFirstRetry, each further one after twice the pause before, up to
/// kLastRetry. Connecting does not reset that, staying connected for kSettled does: a server that
/// lets the client in and throws it out at once is tried as rarely as one that does not answer. The
/// worst that a server can do is to let four connections in a row fail and the fifth live for
/// kSettled, over and over: five in 16.2 s. No server gets more than 11 attempts and one more for
/// each 3.24 s; one that throws out at once gets 10 in two minutes, then one a minute.
/// Longer pauses are those that a server asks for; shorter ones are kept while a person is about to
/// log in to the network, which only an attempt can find out (Failure::retry_within).
/// What fails before a server hears of it (Failure::is_own) is counted apart, and tried again
/// within kLastOwn: nobody tells when a disk has room again.
class Attempts {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  static constexpr milliseconds kFirstRetry{200};
  static constexpr milliseconds kLastRetry{60'000};
  static constexpr milliseconds kLastOwn{10'000};
  /// The longest pause that a server can ask for.
  static constexpr milliseconds kLastAskedFor{300'000};
  /// A connection that lasted for less counts as one more failure.
  static constexpr milliseconds kSettled{10'000};
  /// The shortest time between the beginnings of two attempts, if a person or a change on the host
  /// asks for one.
  static constexpr milliseconds kAsked{1'000};

  /// What has to happen now.
  struct Next {
    State state = State::kDown;
    /// When the next attempt begins (zero: now); this replaces what was planned before. nullopt:
    /// none begins until somebody asks for one.
    std::optional<milliseconds> retry;
    /// The first connection failed for good, until a person changes something: nobody waits for
    /// this companion any longer. What may pass, however slowly, never ends it: nobody would try it
    /// again.
    bool ends_process = false;
    friend bool operator==(const Next&, const Next&) = default;
  };

  [[nodiscard]] State state() const noexcept { return state_; }

  /// Somebody orders the tunnel up, or wants the planned attempt now. nullopt: nothing changes, as
  /// the tunnel is up or an attempt is under way.
  [[nodiscard]] std::optional<Next> up(Clock::time_point now) noexcept;
  [[nodiscard]] Next down() noexcept;
  /// To be called when the planned attempt begins, before names are looked up.
  void begin(Clock::time_point now) noexcept;
  [[nodiscard]] Next connected(Clock::time_point now) noexcept;
  /// The attempt failed, or the connection ended.
  [[nodiscard]] Next ended(const Failure& failure, Clock::time_point now) noexcept;
  /// Something makes an attempt worthwhile: the host is online again, or was asleep. nullopt: no
  /// attempt is planned.
  [[nodiscard]] std::optional<Next> retry_soon(Clock::time_point now) noexcept;
  /// Starts again with the shortest pause: earlier failures say nothing about the next attempt.
  void forget() noexcept { failures_ = own_failures_ = 0; }
  /// The parts of the configuration cannot be built: the tunnel has failed until the next order.
  [[nodiscard]] Next unusable() noexcept;

 private:
  [[nodiscard]] Next plan(milliseconds retry) noexcept;
  [[nodiscard]] milliseconds asked(Clock::time_point now) const noexcept;

  State state_ = State::kDown;
  bool planned_ = false;   ///< an attempt is to begin
  bool was_up_ = false;    ///< ever, since this companion started
  unsigned failures_ = 0;  ///< in a row, of which a server has heard
  unsigned own_failures_ = 0;
  std::optional<Clock::time_point> begun_;
  std::optional<Clock::time_point> connected_;
};

}  // namespace vpnrun::service
