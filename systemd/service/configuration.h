// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"
#include "profiles/profile.h"
#include "systemd/service/file_marks.h"

namespace vpnrun::service {

/// A profile, file or kernel that cannot be used, as opposed to a failure of the machine.
class ConfigurationError : public Error {
 public:
  explicit ConfigurationError(const Error& error) : Error(error) {}
};

/// A profile without a tunnel.
struct NoConfig {};

/// What the companion was configured with, read again at each `restart`: the profile, and the
/// settings of its tunnel. Complete in itself: no file is needed any longer.
struct Configuration {
  profile::Profile profile;
  std::variant<NoConfig, profile::OpenvpnConfig> tunnel;
  /// What the client does not get to hear of its configuration, and settings of the profile that do
  /// nothing with it; merged(), for the status.
  std::vector<LeftOut> left_out{};
  std::vector<FileMark> files;  ///< all that were read, as they were before
};

/// Reads the profile, which must be root's (profile::Trust::kRootOwned) and fit to be prepared.
/// Changes nothing. Throws ConfigurationError.
[[nodiscard]] profile::Profile load_trusted(const std::string& profile_name);

/// The same, together with all files that it names, for the types that this version supports.
/// Throws ConfigurationError.
[[nodiscard]] Configuration load_configuration(const std::string& profile_name);

}  // namespace vpnrun::service
