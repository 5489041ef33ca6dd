// SPDX-License-Identifier: GPL-2.0-or-later
// Apart from profile_store.cc, so that a program that only lists profiles carries no TOML parser.
#include <cerrno>
#include <string_view>
#include <system_error>
#include <vector>

#include "helper/base/name.h"
#include "profiles/base/error.h"
#include "profiles/nearest.h"
#include "profiles/profile_parser.h"
#include "profiles/profile_store.h"

namespace vpnrun::profile {
namespace {

std::string hint_for_missing(const std::string& folder, const std::string& name) {
  const std::vector<std::string> names = list_profiles(folder);
  if (names.empty()) {
    return formatted("there is no profile in {} that you may see", printable(folder));
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view nearest = nearest_name(name, candidates);
  if (!nearest.empty()) {
    return formatted("did you mean '{}'?", nearest);
  }
  constexpr std::size_t kShown = 8;
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  return "the profiles are: " + list + (names.size() > kShown ? ", …" : "");
}

}  // namespace

Profile load_profile(const std::string& folder, const std::string& name, Trust trust) {
  // Before it becomes part of a path.
  if (!is_valid_profile_name(name)) {
    throw Error(formatted("cannot use profile name '{}': expected at most {} of a-z, 0-9, '_' "
                          "and '-', the first a letter or digit",
                          printable(name), kProfileNameMax),
                std::error_code(EINVAL, std::generic_category()));
  }
  const std::string path = folder + "/" + name + ".toml";
  try {
    return parse_profile(read_trusted_file(path, trust), name, path);
  } catch (const Error& error) {
    if (error.code() == std::error_code(ENOENT, std::generic_category())) {
      throw Error(formatted("cannot find profile '{}' in {}", name, printable(folder)),
                  error.code(), hint_for_missing(folder, name));
    }
    throw;
  }
}

}  // namespace vpnrun::profile
