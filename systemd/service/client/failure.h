// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace vpnrun::service {

/// Why a connection attempt failed, in the user's words.
struct Failure {
  enum class Kind : std::uint8_t {
    kChallenge,  ///< the server wants to know more from a person: tried again at once, which asks;
                 ///< as often as somebody answers, and it does not count as a failure
    kPassing,    ///< waiting may cure it: tried again with back-off
    kPeer,       ///< whoever answers seems not to be the server: passing as well,
                 ///< because anybody on the way can bring it about
    kStubborn,   ///< not soon (an expired certificate of ours): tried again much later
    kAnswer,     ///< what a person typed is refused: never tried again unasked, and whoever asks
                 ///< for the tunnel is asked again
    kCredentials,  ///< what is in a file is refused: never tried again unasked
    kSetup,        ///< the configuration or the machine: never tried again unasked
  };
  Kind kind = Kind::kPassing;
  std::string error;
  std::string hint;
};

/// What a line that OpenVPN printed says about the attempt; nullopt: nothing that explains a
/// failure. Only the beginning of a line is OpenVPN's own: the rest may contain the words of
/// whoever answers, such as the subject of his certificate.
[[nodiscard]] std::optional<Failure> failure_from_output(std::string_view line);

/// What a state detail ("ping-restart", "tls-error", "auth-failure", …; management-notes.txt) says.
[[nodiscard]] Failure failure_from_state(std::string_view detail, const std::string& endpoint);

/// `error`, which waiting may cure; without a hint.
[[nodiscard]] Failure passing_failure(std::string error);

/// A failure on our side that may not occur the next time.
[[nodiscard]] Failure passing_failure(const std::exception& error);

/// Whether trying again, with growing pauses, is all that is to be done about it.
[[nodiscard]] bool is_passing(const Failure& failure);

/// Whether `candidate` explains more than `current` does.
[[nodiscard]] bool explains_more(const Failure& candidate, const std::optional<Failure>& current);

}  // namespace vpnrun::service
