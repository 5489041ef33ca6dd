// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/configuration.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "profiles/own_files.h"
#include "profiles/profile_store.h"
#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/link/remotes_check.h"

namespace vpnrun::service {
namespace {

/// Checks the file with user name and password that the configuration names, so that an error in it
/// is reported before a packet is sent.
void check_named_login(const CredentialFiles& files) {
  if (files.profile_file.empty() && !files.configuration_file.empty()) {
    (void)stored_login(files);
  }
}

/// A key that others can read is a file of its own, or stands in the configuration.
void warn_of_readable_key(Configuration& configuration, const struct stat& status,
                          std::string_view text) {
  constexpr unsigned kOthersRead = S_IRGRP | S_IROTH;
  if ((status.st_mode & kOthersRead) != 0 && (text.find("PRIVATE KEY-----") != std::string::npos ||
                                              text.find("<secret>") != std::string::npos)) {
    const std::string& path = configuration.profile.tunnel.config;
    const std::string cure = profile::cure("chmod 0600", path);
    configuration.warnings.push_back(
        fmt::format("'{}' has a private key in it, and users other than its owner can read it: {}",
                    printable(path), cure));
  }
}

/// For the status, which is sent at every change, and read by people.
std::vector<LeftOut> shown(const profile::Profile& profile, const profile::OpenvpnConfig& config) {
  constexpr std::size_t kMost = 50;
  std::vector<LeftOut> entries = merged(config.left_out, kMost);
  const std::string& path = profile.tunnel.config;
  for (LeftOut& entry : entries) {
    entry.file = printable(path.substr(path.rfind('/') + 1));
  }
  if (!profile.tunnel.credentials.empty() && !config.needs_user_pass) {
    entries.push_back({.directive = "credentials",
                       .reason = "the configuration has no 'auth-user-pass', so that nothing asks "
                                 "for them",
                       .severity = Severity::kNotice,
                       .file = profile.name + ".toml"});
  }
  return entries;
}

void add_openvpn(Configuration& configuration) {
  const profile::Profile& profile = configuration.profile;
  const std::string& path = profile.tunnel.config;
  profile::OwnFiles own(profile::place_of(profile));
  struct stat status {};
  const std::string text =
      profile::read_trusted_file(path, profile::Trust::kRootOwned, std::size_t{1} << 20U,
                                 [&status](const struct stat& opened) { status = opened; });
  auto config = profile::parse_openvpn_config(
      text, path, [&own](std::string_view directive, const std::string& name) {
        return own.read(directive, name);
      });
  profile::check_client_config(config, path);
  leave_out_unreachable(config, path);
  own.check_authority(config.text);
  check_named_login(credential_files(profile, config));
  warn_of_readable_key(configuration, status, text);
  configuration.left_out = shown(profile, config);
  configuration.tunnel = std::move(config);
}

}  // namespace

profile::Profile load_trusted(const std::string& profile_name) {
  try {
    auto profile = profile::load_profile(profile::default_profile_folder(), profile_name,
                                         profile::Trust::kRootOwned);
    const auto& hooks = profile.hooks;
    for (const auto* lines :
         {&hooks.up_outside, &hooks.up_inside, &hooks.down_inside, &hooks.down_outside}) {
      std::for_each(lines->begin(), lines->end(), profile::check_hook);
    }
    return profile;
  } catch (const Error& error) {
    throw ConfigurationError(error);
  }
}

Configuration load_configuration(const std::string& profile_name) {
  Configuration configuration;
  configuration.profile = load_trusted(profile_name);
  const auto& profile = configuration.profile;
  const bool openvpn = profile.tunnel.type == profile::TunnelType::kOpenvpn;
  if ((!openvpn && profile.tunnel.type != profile::TunnelType::kNone) ||
      profile.link.type != profile::LinkType::kVeth) {
    throw ConfigurationError(
        Error(fmt::format("{}: this version supports [tunnel] type \"openvpn\" and \"none\" over "
                          "[link] type \"veth\" only",
                          profile.path)));
  }
  if (openvpn) {
    try {
      add_openvpn(configuration);
    } catch (const Error& error) {
      throw ConfigurationError(error);
    }
  }
  return configuration;
}

}  // namespace vpnrun::service
