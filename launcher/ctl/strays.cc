// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/strays.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

#include "helper/base/name.h"
#include "profiles/base/error.h"
#include "profiles/profile_store.h"

namespace vpnrun {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;
using Names = std::set<std::string, std::less<>>;

/// The names in `folder`; nullopt: it cannot be read.
std::optional<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  fs::directory_iterator at(folder, error);
  while (!error && at != fs::directory_iterator()) {
    entries.push_back(at->path());
    at.increment(error);
  }
  return error ? std::nullopt : std::optional(entries);
}

/// What the profiles name by `config`; nullopt: one of them cannot be read, so that nobody can
/// tell.
std::optional<Names> configurations_of(const Places& places, const Names& profiles) {
  Names named;
  for (const std::string& profile : profiles) {
    try {
      named.insert(profile::load_profile(places.profile_folder, profile, profile::Trust::kAnyOwner)
                       .tunnel.config);
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  return named;
}

bool is_leftover(std::string_view name) {
  constexpr std::array kEnds = {"~"sv,        ".swp"sv,      ".swo"sv,      ".bak"sv,
                                ".orig"sv,    ".save"sv,     ".old"sv,      ".tmp"sv,
                                ".rej"sv,     ".dpkg-old"sv, ".dpkg-new"sv, ".dpkg-dist"sv,
                                ".ucf-old"sv, ".ucf-dist"sv, ".rpmnew"sv,   ".rpmsave"sv};
  const bool is_marked =
      (name.starts_with('#') && name.ends_with('#')) || name.starts_with(".#") ||
      std::any_of(kEnds.begin(), kEnds.end(), [name](auto end) { return name.ends_with(end); });
  return is_marked && (name.find(profile::kProfileSuffix) != std::string_view::npos ||
                       name.find(".ovpn") != std::string_view::npos);
}

bool is_configuration(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower.ends_with(".ovpn") || lower.ends_with(".conf");
}

/// Why a file of the profiles' folder is worth a word; empty: it is not.
std::string reason_for(const fs::path& path, const Names& profiles,
                       const std::optional<Names>& configurations) {
  const std::string name = path.filename().string();
  if (is_leftover(name)) {
    return "is what an editor or a package manager has left";
  }
  if (name.ends_with(profile::kProfileSuffix)) {
    const std::string profile = name.substr(0, name.size() - profile::kProfileSuffix.size());
    if (profiles.contains(profile)) {
      return {};
    }
    return is_valid_profile_name(profile)
               ? "is no profile: it is not a regular file"
               : "is no profile: a name is 1 to 32 of a-z, 0-9, '_' and '-', and begins with a "
                 "letter or digit";
  }
  if (configurations && is_configuration(name) && !configurations->contains(path.string()) &&
      fs::is_regular_file(fs::symlink_status(path))) {
    return "is not named by 'config' of any profile";
  }
  return {};
}

/// "vpnrun@NAME.service" and the like; empty: another unit.
std::string profile_of_unit(std::string_view unit) {
  for (const std::string_view start : {"vpnrun@"sv, "vpnrun-netns@"sv}) {
    const std::size_t end = std::min(unit.rfind('.'), unit.size());
    if (unit.starts_with(start) && end > start.size()) {
      return std::string(unit.substr(start.size(), end - start.size()));
    }
  }
  return {};
}

void add_units(std::vector<std::string>& notes, const UnitPlaces& units, const Names& profiles) {
  std::set<std::string> enabled;
  for (const fs::path& folder : entries_of(units.system_units).value_or(std::vector<fs::path>())) {
    const std::string extension = folder.extension().string();
    if (extension != ".wants" && extension != ".requires") {
      continue;
    }
    for (const fs::path& unit : entries_of(folder).value_or(std::vector<fs::path>())) {
      const std::string name = unit.filename().string();
      const std::string profile = profile_of_unit(name);
      if (!profile.empty() && !profiles.contains(profile)) {
        enabled.insert(name);
      }
    }
  }
  for (const std::string& unit : enabled) {
    notes.push_back(
        formatted("unit '{0}' is enabled, and its profile is gone: systemctl disable "
                  "--now '{0}'",
                  printable(unit)));
  }
}

}  // namespace

std::vector<std::string> find_strays(const Places& places, const UnitPlaces& units) {
  std::vector<std::string> notes;
  const auto files = entries_of(places.profile_folder);
  std::error_code error;
  if (!files && fs::exists(places.profile_folder, error)) {
    return notes;  // not for this caller to read: nobody knows which profiles there are
  }
  Names profiles;
  for (const std::string& name : profile::list_profiles(places.profile_folder)) {
    profiles.insert(name);
  }
  const std::optional<Names> configurations = configurations_of(places, profiles);
  for (const fs::path& file : files.value_or(std::vector<fs::path>())) {
    if (const std::string reason = reason_for(file, profiles, configurations); !reason.empty()) {
      notes.push_back(formatted("'{}' {}", printable(file.string()), reason));
    }
  }
  for (const fs::path& folder : entries_of(places.runtime_root).value_or(std::vector<fs::path>())) {
    const std::string name = folder.filename().string();
    if (is_valid_profile_name(name) && !profiles.contains(name) &&
        fs::is_directory(fs::symlink_status(folder))) {
      notes.push_back(
          formatted("tunnel '{0}' is prepared, and its profile is gone: as root, " VPNRUN_LIBEXECDIR
                    "/vpnrun-tunnel release {0}",
                    name));
    }
  }
  add_units(notes, units, profiles);
  std::sort(notes.begin(), notes.end());
  return notes;
}

}  // namespace vpnrun
