// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/own_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"
#include "profiles/profile_parser.h"
#include "profiles/profile_store.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kLogin = "auth-user-pass";
/// What is worth as much as a password. (The keys of `tls-auth` and `tls-crypt` are the same for
/// all of a provider's customers.)
constexpr std::array<std::string_view, 5> kSecrets = {kLogin, "key", "pkcs12", "secret",
                                                      "tls-crypt-v2"};
constexpr std::size_t kLargest = 1U << 20U;

/// Debian, Fedora and their derivatives, Arch, openSUSE.
constexpr std::array<std::string_view, 7> kPublicFolders = {
    "/etc/ssl/certs/",          "/usr/share/ca-certificates/",  "/usr/local/share/ca-certificates/",
    "/etc/pki/tls/certs/",      "/etc/pki/ca-trust/extracted/", "/etc/ca-certificates/extracted/",
    "/var/lib/ca-certificates/"};

std::vector<std::string> components_of(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    components.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return components;
}

bool goes_up(std::string_view path) {
  const auto components = components_of(path);
  return std::find(components.begin(), components.end(), "..") != components.end();
}

std::string normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

[[noreturn]] void refuse(std::string reason) {
  throw Error(std::move(reason), std::make_error_code(std::errc::operation_not_permitted));
}

[[noreturn]] void refuse_others(const std::string& profile) {
  refuse(formatted("it belongs to the profile '{}'", profile));
}

/// Nothing that was not for everybody to read goes out by way of a folder that is.
std::string read_public(const std::string& path) {
  return read_trusted_file(path, Trust::kRootOwned, kLargest, [](const struct stat& status) {
    if ((status.st_mode & S_IROTH) == 0) {
      refuse("not everybody can read it, as they can public certificates");
    }
  });
}

bool is_public(const std::string& name) {
  return !goes_up(name) && std::any_of(kPublicFolders.begin(), kPublicFolders.end(),
                                       [&name](auto folder) { return name.starts_with(folder); });
}

/// For a profile that cannot be parsed: whatever is between quotation marks may be a file.
std::vector<std::string> quoted_texts(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = text.find_first_of("\"'"); at != std::string_view::npos;) {
    const std::size_t end = text.find_first_of("\"'\n", at + 1);
    if (end == std::string_view::npos) {
      break;
    }
    if (text[end] == '\n' || end == at + 1) {
      at = text.find_first_of("\"'", end + 1);
      continue;
    }
    found.emplace_back(text.substr(at + 1, end - at - 1));
    at = end;  // may be the beginning of the next as well: rather one text too many
  }
  return found;
}

/// What a configuration names that may be its own alone.
struct NamedFiles {
  std::vector<std::string> logins;
  std::vector<std::string> keys;  ///< and certificates
  std::string authority;          ///< for `ca`: if it is a file, and the only one
};

template <std::size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Rather too much than too little: each word of a line is taken for a directive. Lines that cannot
/// be read name nothing: with them, the configuration is refused.
NamedFiles named_in(std::string_view text) {
  constexpr std::array<std::string_view, 3> kLogins = {kLogin, "askpass", "http-proxy-user-pass"};
  constexpr std::array<std::string_view, 8> kKeys = {
      "cert", "key", "extra-certs", "tls-auth", "tls-crypt", "tls-crypt-v2", "secret", "pkcs12"};
  NamedFiles named;
  std::size_t authorities = 0;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    std::vector<std::string> words;
    try {
      words = split_words(*line);
    } catch (const Error&) {
      continue;
    }
    words.emplace_back();
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      std::string_view word = words[i];
      word.remove_prefix(word.starts_with("--") ? 2 : 0);
      const std::string& next = words[i + 1];
      if (word == "ca" || word == "<ca>") {
        ++authorities;
        named.authority = word == "ca" ? next : std::string();
      } else if (is_one_of(kLogins, word) && !next.empty()) {
        named.logins.push_back(next);
      } else if (is_one_of(kKeys, word) && !next.empty()) {
        named.keys.push_back(next);
      }
    }
  }
  if (authorities != 1) {
    named.authority.clear();
  }
  return named;
}

}  // namespace

ConfigurationPlace place_of(const Profile& profile) {
  return {profile.name, parent_of(std::filesystem::absolute(profile.path).string()),
          profile.tunnel.config};
}

OwnFiles::OwnFiles(ConfigurationPlace place) : place_(std::move(place)) {
  place_.profile_folder = normal(place_.profile_folder);
  place_.configuration = normal(place_.configuration);
  folder_ = parent_of(place_.configuration);
  others_ = list_profiles(place_.profile_folder);
  others_.erase(std::remove(others_.begin(), others_.end(), place_.profile), others_.end());
}

bool OwnFiles::is_among_profiles() const {
  return folder_ == place_.profile_folder || is_below(folder_, place_.profile_folder);
}

std::string OwnFiles::read(std::string_view directive, const std::string& name) {
  if (name.empty() || name.ends_with('/')) {
    throw Error("this is not the name of a file");
  }
  try {
    if (directive == "ca" && is_public(name)) {
      return read_public(name);
    }
    const std::string relative = inside(name);
    check_name(directive, relative);
    return read_trusted_file(folder_ + "/" + relative,
                             is_one_of(kSecrets, directive) ? Trust::kSecret : Trust::kRootOwned,
                             kLargest,
                             [&](const struct stat& status) { check_status(directive, status); });
  } catch (Error& error) {
    const bool is_link = error.code() == std::errc::too_many_symbolic_link_levels;
    if (directive == kLogin && (is_link || error.hint().empty())) {
      error.set_hint(
          formatted("put user name and password into a file of this profile's own, and name it by "
                    "'credentials' in [tunnel] of {}/{}.toml",
                    printable(place_.profile_folder), place_.profile));
    } else if (error.hint().empty() || (is_link && !is_public(name))) {
      error.set_hint(
          formatted("put a copy that is this profile's own into {}, and its name into "
                    "the configuration",
                    printable(folder_)));
    }
    throw;
  }
}

/// `name` as seen from the configuration's folder, without ".", and no way out of it.
std::string OwnFiles::inside(const std::string& name) const {
  if (goes_up(name)) {
    refuse("'..' leads out of the folder of the configuration");
  }
  std::string_view rest = name;
  if (name.starts_with('/')) {
    if (!is_below(name, folder_)) {
      refuse("it lies outside of the folder of the configuration");
    }
    rest.remove_prefix(folder_.size());
  }
  std::string relative;
  for (const std::string& component : components_of(rest)) {
    if (!component.empty() && component != ".") {
      relative += (relative.empty() ? "" : "/") + component;
    }
  }
  if (relative.empty()) {
    throw Error("this is not the name of a file");
  }
  return relative;
}

void OwnFiles::check_name(std::string_view directive, const std::string& relative) {
  const std::string path = folder_ + "/" + relative;
  if (relative.ends_with(kProfileSuffix)) {
    refuse("it is a profile");
  }
  if (!is_among_profiles()) {
    // Such a folder may hold anything, a whole /etc or the home folder of root.
    if (directive == kLogin) {
      refuse(formatted("the configuration lies outside of {}", printable(place_.profile_folder)));
    }
    if (relative.front() == '.' || relative.find('/') != std::string::npos) {
      refuse(
          formatted("it does not lie beside the configuration, or is hidden, and that lies "
                    "outside of {}",
                    printable(place_.profile_folder)));
    }
  }
  check_names_of_others(path);
  for (const Claim& claim : claims()) {
    const std::string taken = parent_of(claim.path);
    if (path == claim.path) {
      meet(claim, directive);
    } else if (claim.kind == Kind::kConfiguration && is_below(taken + "/", folder_) &&
               taken != folder_ && is_below(path, taken)) {
      refuse_others(claim.profile);
    }
  }
  if (directive == "ca") {
    authorities_.push_back(path);
  }
}

/// What to do about a file that another profile has.
void OwnFiles::meet(const Claim& claim, std::string_view directive) {
  if (claim.kind != Kind::kKey) {
    refuse_others(claim.profile);
  }
  if (directive == "ca" || directive == "crl-verify") {
    return;  // public, whatever else it is used for
  }
  if (directive == kLogin || claim.authority.empty()) {
    refuse_others(claim.profile);
  }
  shared_.push_back(claim);
}

void OwnFiles::check_authority(std::string_view text) const {
  constexpr std::string_view kBlock = "<ca>\n";
  std::size_t blocks = 0;
  for (std::size_t at = text.find(kBlock); at != std::string_view::npos;
       at = text.find(kBlock, at + 1)) {
    ++blocks;
  }
  for (const Claim& claim : shared_) {
    // One that is in the configuration itself, or is given in its place, would count instead.
    if (blocks != 1 || authorities_.size() != 1 || authorities_.front() != claim.authority) {
      throw Error(formatted("{}: '{}' belongs to the profile '{}'", printable(place_.configuration),
                            printable(claim.path), claim.profile),
                  std::make_error_code(std::errc::operation_not_permitted),
                  "configurations with different authorities ('ca') share no key or certificate; "
                  "put those of one provider into a folder of their own");
    }
  }
}

/// Only what a profile's configuration is called, or lies in, may be called as another profile is.
void OwnFiles::check_names_of_others(const std::string& path) const {
  // ".home.auth.swp", "#home.auth#": what editors make of them.
  const std::string prefix = place_.profile_folder + "/";
  const std::string name = path.starts_with(prefix) ? path.substr(prefix.size()) : std::string();
  const std::size_t first = std::min(name.find_first_not_of(".#~"), name.size());
  const std::string file = prefix + name.substr(first);
  for (const std::string& other : others_) {
    const std::string stem = prefix + other;
    const bool is_named_after = file.starts_with(stem + ".") || is_below(file, stem);
    const bool is_ours =
        place_.configuration.starts_with(stem + ".") || is_below(place_.configuration, stem);
    if (!name.empty() && is_named_after && !is_ours) {
      refuse_others(other);
    }
  }
}

/// By what it is, and not by its name.
void OwnFiles::check_status(std::string_view directive, const struct stat& status) {
  for (const Claim& claim : claims()) {
    struct stat taken {};
    if (::stat(claim.path.c_str(), &taken) == 0 && taken.st_dev == status.st_dev &&
        taken.st_ino == status.st_ino) {
      meet(claim, directive);
    }
  }
  if (status.st_nlink > 1) {
    refuse("it has a second name somewhere (a hard link), and may be somebody else's");
  }
}

const std::vector<OwnFiles::Claim>& OwnFiles::claims() {
  if (!claims_) {
    claims_.emplace();
    for (const std::string& other : others_) {
      add_claims(other);
    }
  }
  return *claims_;
}

void OwnFiles::add_claims(const std::string& other) {
  const std::string path = formatted("{}/{}.toml", place_.profile_folder, other);
  std::string text;
  try {
    text = read_trusted_file(path, Trust::kAnyOwner);
  } catch (const Error& error) {
    if (error.code() == std::errc::no_such_file_or_directory) {
      return;  // gone since it was listed
    }
    throw error.with_context(formatted("cannot tell what belongs to the profile '{}'", other));
  }
  const auto absolute = [this](const std::string& file) {
    return normal((std::filesystem::path(place_.profile_folder) / file).string());
  };
  claims_->push_back({other, path, Kind::kOnlyTheirs, ""});
  try {
    const Tunnel tunnel = parse_profile(text, other, path).tunnel;
    if (!tunnel.config.empty()) {
      claims_->push_back({other, absolute(tunnel.config), Kind::kConfiguration, ""});
      add_named(other, absolute(tunnel.config));
    }
    if (!tunnel.credentials.empty()) {
      claims_->push_back({other, absolute(tunnel.credentials), Kind::kOnlyTheirs, ""});
    }
  } catch (const Error&) {
    for (const std::string& file : quoted_texts(text)) {
      claims_->push_back({other, absolute(file), Kind::kConfiguration, ""});
    }
  }
}

void OwnFiles::add_named(const std::string& other, const std::string& configuration) {
  const std::string folder = parent_of(configuration);
  if (configuration == place_.configuration ||
      (folder == folder_ && folder != place_.profile_folder)) {
    return;  // one provider's, according to whoever put them into one folder
  }
  NamedFiles named;
  try {
    named = named_in(read_trusted_file(configuration, Trust::kAnyOwner));
  } catch (const Error&) {
    return;  // without it the other profile has nothing by it
  }
  const auto absolute = [&folder](const std::string& name) {
    return normal((std::filesystem::path(folder) / name).string());
  };
  const std::string authority = named.authority.empty() ? "" : absolute(named.authority);
  for (const std::string& name : named.logins) {
    claims_->push_back({other, absolute(name), Kind::kOnlyTheirs, ""});
  }
  for (const std::string& name : named.keys) {
    claims_->push_back({other, absolute(name), Kind::kKey, authority});
  }
}

}  // namespace vpnrun::profile
