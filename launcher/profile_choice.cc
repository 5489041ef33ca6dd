// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/profile_choice.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "helper/base/name.h"
#include "launcher/user_config.h"
#include "profiles/base/error.h"
#include "profiles/nearest.h"
#include "profiles/profile_store.h"

namespace vpnrun {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::optional<Choice> choose_by_file(const std::string& path, std::string_view command) {
  const std::optional<UserConfig> config = load_user_config(path);
  if (!config) {
    return std::nullopt;
  }
  const std::string base(command.substr(command.rfind('/') + 1));
  if (const auto app = config->apps.find(base); app != config->apps.end()) {
    return Choice{app->second, path + " [apps]"};
  }
  if (!config->default_profile.empty()) {
    return Choice{config->default_profile, path};
  }
  return std::nullopt;
}

std::vector<std::string> usable_of(const std::vector<std::string>& names, const Places& places) {
  std::vector<std::string> usable;
  std::copy_if(names.begin(), names.end(), std::back_inserter(usable),
               [&](const std::string& name) { return is_usable(places, name); });
  return usable;
}

Choice choose_the_only_one(const Places& places) {
  const std::vector<std::string> all = profile::list_profiles(places.profile_folder);
  const std::vector<std::string> usable = usable_of(all, places);
  if (usable.size() == 1) {
    return {usable.front(), "the only profile that you may use"};
  }
  if (usable.empty() && all.size() == 1) {
    return {all.front(), "the only profile"};
  }
  if (all.empty()) {
    throw Error("cannot choose a profile: there are none",
                std::make_error_code(std::errc::no_such_file_or_directory),
                "as root, write " + places.profile_folder + "/NAME.toml; see vpnrun-profile(5)");
  }
  if (usable.empty()) {
    throw Error("cannot choose a profile: none of them is prepared and open to you",
                std::make_error_code(std::errc::permission_denied),
                "the profiles are: " + join(all) + "; 'vpnrunctl list' shows their states");
  }
  throw Error("cannot choose a profile: there are several", {},
              "use --profile with one of: " + join(usable) +
                  "; or set 'default' in ~/.config/vpnrun/config.toml");
}

}  // namespace

void require_profile_name(const std::string& name, const std::string& source) {
  if (!is_valid_profile_name(name)) {
    throw Error(formatted("cannot use profile '{}' ({}): this is not the name of a profile",
                          printable(name), source),
                std::make_error_code(std::errc::invalid_argument),
                "names are made of a-z, 0-9, '_' and '-', at most 32, the first a letter or digit");
  }
}

Choice choose_profile(const ChoiceInputs& inputs, const Places& places) {
  Choice choice;
  if (!inputs.option.empty()) {
    choice = {inputs.option, "--profile"};
  } else if (!inputs.environment.empty()) {
    choice = {inputs.environment, "$VPNRUN_PROFILE"};
  }
  if (!choice.profile.empty()) {
    require_profile_name(choice.profile, choice.source);
    return choice;
  }
  for (const std::string& path : inputs.config_files) {
    if (auto by_file = choose_by_file(path, inputs.command)) {
      return *by_file;
    }
  }
  return choose_the_only_one(places);
}

std::string suggest_profile(std::string_view name, const Places& places) {
  const std::vector<std::string> usable =
      usable_of(profile::list_profiles(places.profile_folder), places);
  if (usable.empty() || std::find(usable.begin(), usable.end(), name) != usable.end()) {
    return {};
  }
  const std::vector<std::string_view> candidates(usable.begin(), usable.end());
  const std::string_view nearest = nearest_name(name, candidates);
  return nearest.empty() ? "your profiles are: " + join(usable)
                         : formatted("did you mean '{}'?", nearest);
}

}  // namespace vpnrun
