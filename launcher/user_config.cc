// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/user_config.h"

#include <cstddef>

#include "helper/base/name.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"
#include "profiles/toml_text.h"

namespace vpnrun {
namespace {

constexpr std::size_t kLongestConfig = 32768;  // bytes; bounds how deep keys can nest

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  [[noreturn]] void refuse(const toml::source_region& where, const std::string& what,
                           const std::string& hint) const {
    fail_at(path_, where.begin, what, hint);
  }

  [[nodiscard]] std::string profile_name(const toml::key& key, const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr || !is_valid_profile_name(text->get())) {
      refuse(node.source(),
             formatted(
                 "'{}' must be the name of a profile{}", printable(key.str()),
                 text == nullptr ? std::string() : formatted(", not '{}'", printable(text->get()))),
             "names are made of a-z, 0-9, '_' and '-', at most 32, and written in quotes");
    }
    return text->get();
  }

  [[nodiscard]] UserConfig read(const toml::table& table) const {
    UserConfig config;
    for (const auto& [key, node] : table) {
      if (key == "default") {
        config.default_profile = profile_name(key, node);
      } else if (key == "apps" && node.is_table()) {
        for (const auto& [command, profile] : *node.as_table()) {
          config.apps.emplace(command.str(), profile_name(command, profile));
        }
      } else if (key == "apps") {
        refuse(node.source(), "'apps' must be a table",
               "[apps] and below it COMMAND = \"PROFILE\"");
      } else {
        refuse(key.source(), formatted("unknown key '{}'", printable(key.str())),
               "the keys are default and [apps]");
      }
    }
    return config;
  }

 private:
  const std::string& path_;
};

}  // namespace

UserConfig parse_user_config(std::string_view text, const std::string& path) {
  return Reader(path).read(parse_toml(text, path));
}

std::optional<UserConfig> load_user_config(const std::string& path) {
  std::optional<std::string> text;
  try {
    text = read_file(path, kLongestConfig);
  } catch (const Error& error) {
    throw Error(error.what(), error.code(),
                formatted("see 'ls -l {}'; with --profile it is not read", printable(path)));
  }
  return text ? std::optional(parse_user_config(*text, path)) : std::nullopt;
}

std::string user_config_path(const char* xdg_config_home, const char* home) {
  constexpr const char* kFile = "/vpnrun/config.toml";
  if (xdg_config_home != nullptr && xdg_config_home[0] == '/') {
    return std::string(xdg_config_home) + kFile;
  }
  if (home != nullptr && home[0] == '/') {
    return std::string(home) + "/.config" + kFile;
  }
  return {};
}

}  // namespace vpnrun
