// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/places.h"

namespace vpnrun {

/// What a profile is chosen by, the strongest first.
struct ChoiceInputs {
  std::string option;                     ///< --profile; empty: not given
  std::string environment;                ///< $VPNRUN_PROFILE; empty: not set
  std::vector<std::string> config_files;  ///< each may be absent; the first that decides wins
  std::string command;                    ///< the command's first word, looked up in [apps]
};

struct Choice {
  std::string profile;  ///< a valid name; whether it exists is not known yet
  std::string source;   ///< what decided, for --verbose: "--profile", a file's path, …
};

/// Which profile a launch uses. A file's [apps] goes before its `default`, and both before the next
/// file; without any choice the only usable profile is taken, or the only one there is. Throws
/// Error for an invalid name and if nothing decides; the hint lists the choices.
[[nodiscard]] Choice choose_profile(const ChoiceInputs& inputs, const Places& places);

/// If `name` is not a profile that the caller may use: "did you mean 'work'?", or the names of
/// those that he may use if none is close. Empty if it is one, or if there is none. A profile that
/// is there but not open to the caller gives the same answer as one that is not there.
[[nodiscard]] std::string suggest_profile(std::string_view name, const Places& places);

/// Throws Error unless `name` is a valid profile name; `source` says where it was found.
void require_profile_name(const std::string& name, const std::string& source);

}  // namespace vpnrun
