// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/places.h"
#include "profiles/protocol/status.h"

namespace vpnrun {

/// Whether the caller may start applications in a profile.
enum class Admission : std::uint8_t {
  kAdmitted,
  kNotAdmitted,
  kNotPrepared,  ///< nobody can: there is no runtime directory
};

[[nodiscard]] std::string_view to_string(Admission admission) noexcept;

/// One line of `vpnrunctl list`.
struct ProfileFacts {
  std::string name;
  std::string description;  ///< empty also if the caller cannot read the profile
  Admission admission = Admission::kNotPrepared;
  std::optional<std::string> state;  ///< state_word(); nullopt: not known to the caller
};

/// Every profile of the profile folder, sorted by name. Starts nothing.
[[nodiscard]] std::vector<ProfileFacts> list_facts(const Places& places);

/// What the companion says; if none runs: state down, or failed if the last one could say why it
/// ended, with the reason in `error`. Starts nothing.
/// Throws Error if the profile is absent or closed to the caller, or its companion does not answer.
[[nodiscard]] Status status_of(const Places& places, const std::string& profile);

/// The profiles that the caller may use, sorted.
[[nodiscard]] std::vector<std::string> usable_profiles(const Places& places);

}  // namespace vpnrun
