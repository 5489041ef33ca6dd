// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace vpnrun::service {

/// Why a connection attempt failed, in the user's words.
struct Failure {
  enum class Kind : std::uint8_t {
    kChallenge,   ///< the server wants to know more from a person: tried again at once, which asks;
                  ///< this may go on as long as somebody answers, and does not count as a failure
    kPassing,     ///< waiting may cure it: tried again with back-off
    kPeer,        ///< whoever answers seems not to be the server: passing as well,
                  ///< because anybody on the way can bring it about
    kOutside,     ///< the server refuses for reasons of its own, or the clock is not set yet: told
                  ///< as it is, and passing
    kPersistent,  ///< not soon (an expired certificate of ours): tried again much later
    kAnswer,      ///< what a person typed is refused: never tried again unasked, and whoever asks
                  ///< for the tunnel is asked again
    kCredentials,  ///< what is in a file is refused: never tried again unasked
    kSetup,        ///< the configuration or the machine: never tried again unasked
  };
  Kind kind = Kind::kPassing;
  std::string error;
  std::string hint;
  /// What the server asks to wait; zero: nothing.
  std::chrono::seconds retry_after{0};
  /// Which row of a client's table it comes from, for the log; empty: none.
  std::string_view reason{};
  /// The longest pause while a person is about to cure it, of which nobody will tell; zero: any.
  std::chrono::seconds retry_within{0};
  /// No server has heard of the attempt: however many there are, none is a burden to it.
  bool is_own = false;
};

/// `error`, which waiting may cure; without a hint.
[[nodiscard]] Failure passing_failure(std::string error);

/// A failure on our side that may not occur the next time.
[[nodiscard]] Failure passing_failure(const std::exception& error);

/// The same before a server has heard of the attempt: a disk is full, no process can be made.
[[nodiscard]] Failure own_failure(const std::exception& error);

/// Whether nothing else can be done about it than to try again, with growing pauses.
[[nodiscard]] bool is_passing(const Failure& failure);

/// Whether `candidate` explains more than `current` does.
[[nodiscard]] bool explains_more(const Failure& candidate, const std::optional<Failure>& current);

}  // namespace vpnrun::service
