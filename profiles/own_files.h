// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/profile.h"

// What a provider's file can make root read. Whoever wrote it names files, and what they hold goes
// to the VPN client, some of it to the server: it must be nothing but what is the provider's own.
namespace vpnrun::profile {

/// Where a configuration lies, and whose it is.
struct ConfigurationPlace {
  std::string profile;         ///< the profile's name
  std::string profile_folder;  ///< absolute: this profile's and the others'
  std::string configuration;   ///< absolute: [tunnel] config
};

[[nodiscard]] ConfigurationPlace place_of(const Profile& profile);

/// Reads the files that one configuration names. A file is its own if all of this holds:
///
/// - it lies in the configuration's folder or below: the name has no "..", and an absolute one
///   begins with that folder. Of a configuration that lies outside of the profiles' folder, only
///   files beside it that are not hidden, and no login, are its own;
/// - it is a regular file without a second name (hard link), and no symbolic link leads to it;
///   anything else is never opened (read_trusted_file());
/// - if it holds a login or a private key, neither group nor others can read it;
/// - it is not a profile, and not another profile's: not named or in a folder named after one
///   ("NAME.…", "NAME/"), not what one has for `config` or `credentials`, whatever its name, not
///   in a folder below with another's configuration in it, and not what another's configuration
///   names: logins, and keys and certificates unless both have the same file for `ca`, so that the
///   same authority vouches for the servers that get to see them. Configurations that share a
///   folder below the profiles' own share what lies there, as do profiles of one configuration.
///
/// The machine's public authorities may be named by `ca` as well: files that everybody may read, in
/// the folders that distributions keep for them.
///
/// The caller has to check that it is of the kind that the directive asks for, see pem_content(),
/// check_pkcs12(), parse_login_file().
class OwnFiles {
 public:
  explicit OwnFiles(ConfigurationPlace place);

  /// The content of the file that `directive` names by `name`. Throws Error, without a byte of it,
  /// and before anything is opened if the name alone will not do.
  [[nodiscard]] std::string read(std::string_view directive, const std::string& name);

  /// The whole configuration has been read, and `text` is what is handed on of it: throws Error if
  /// a key or certificate was read that another profile has, and not only the same authority
  /// counts.
  void check_authority(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t {
    kOnlyTheirs,
    kConfiguration,  ///< the folder below is the profile's, too
    kKey,            ///< or a certificate that goes to a server
  };
  /// What another profile has. All paths are absolute and without "..".
  struct Claim {
    std::string profile;
    std::string path;
    Kind kind = Kind::kOnlyTheirs;
    std::string authority;  ///< of kKey: the other's file for `ca`, if it has one and no more
  };

  [[nodiscard]] std::string inside(const std::string& name) const;
  void check_name(std::string_view directive, const std::string& relative);
  void check_names_of_others(const std::string& path) const;
  void check_status(std::string_view directive, const struct stat& status);
  void meet(const Claim& claim, std::string_view directive);
  [[nodiscard]] const std::vector<Claim>& claims();
  void add_claims(const std::string& other);
  void add_named(const std::string& other, const std::string& configuration);
  [[nodiscard]] bool is_among_profiles() const;

  ConfigurationPlace place_;
  std::string folder_;  ///< the configuration's
  std::vector<std::string> others_;
  std::optional<std::vector<Claim>> claims_;
  std::vector<Claim> shared_;             ///< what was read on a condition
  std::vector<std::string> authorities_;  ///< paths that were read for `ca`
};

}  // namespace vpnrun::profile
