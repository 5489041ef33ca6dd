// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vpnrun::service {

/// Why a connection attempt failed, in the user's words.
struct Failure {
  enum class Kind : std::uint8_t {
    kPassing,      ///< waiting may cure it: tried again with back-off
    kStubborn,     ///< not soon (an expired certificate): tried again much later
    kCredentials,  ///< the server refuses user name or password: never tried again unasked
    kSetup,        ///< the configuration or the machine: never tried again unasked
  };
  Kind kind = Kind::kPassing;
  std::string error;
  std::string hint;
};

/// What a line that OpenVPN printed says about the attempt; nullopt: nothing that explains a
/// failure.
[[nodiscard]] std::optional<Failure> failure_from_output(std::string_view line);

/// What a state detail ("ping-restart", "tls-error", "auth-failure", …; management-notes.txt) says.
[[nodiscard]] Failure failure_from_state(std::string_view detail, const std::string& endpoint);

/// Whether `candidate` explains more than `current` does.
[[nodiscard]] bool explains_more(const Failure& candidate, const std::optional<Failure>& current);

}  // namespace vpnrun::service
