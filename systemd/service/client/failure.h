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
                 ///< this may go on as long as somebody answers, and does not count as a failure
    kPassing,    ///< waiting may cure it: tried again with back-off
    kPeer,       ///< whoever answers seems not to be the server: handled like kPassing, because
                 ///< anybody on the network path can cause it
    kStubborn,   ///< will not pass soon (our certificate has expired): tried again much later
    kAnswer,     ///< what a person typed is refused: not tried again until somebody orders it, who
                 ///< is then asked again
    kCredentials,  ///< what is in a file is refused: not tried again until somebody orders it
    kSetup,        ///< the configuration or the machine: not tried again until somebody orders it
  };
  Kind kind = Kind::kPassing;
  std::string error;
  std::string hint;
};

/// What a line that OpenVPN printed says about the attempt; nullopt: nothing that explains a
/// failure. Only the beginning of a line is OpenVPN's own: the rest may contain what the peer
/// chose, such as the subject of its certificate.
[[nodiscard]] std::optional<Failure> failure_from_output(std::string_view line);

/// What a state detail ("ping-restart", "tls-error", "auth-failure", …; management-notes.txt) says.
[[nodiscard]] Failure failure_from_state(std::string_view detail, const std::string& endpoint);

/// A failure that waiting may cure, with this error and no hint.
[[nodiscard]] Failure passing_failure(std::string error);

/// A failure on our side that may not occur the next time.
[[nodiscard]] Failure passing_failure(const std::exception& error);

/// Whether nothing else can be done about it than to try again, with growing pauses.
[[nodiscard]] bool is_passing(const Failure& failure);

/// Whether `candidate` explains more than `current` does.
[[nodiscard]] bool explains_more(const Failure& candidate, const std::optional<Failure>& current);

}  // namespace vpnrun::service
