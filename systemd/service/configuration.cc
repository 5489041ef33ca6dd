// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/configuration.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "profiles/own_files.h"
#include "profiles/profile_store.h"
#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// Checks the file with user name and password that the configuration names, so that an error in it
/// is reported before a packet is sent.
void check_named_login(const CredentialFiles& files) {
  if (files.profile_file.empty() && !files.configuration_file.empty()) {
    (void)stored_login(files);
  }
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
      profile::OwnFiles own(profile::place_of(profile));
      auto config = profile::parse_openvpn_config(
          profile::read_trusted_file(profile.tunnel.config, profile::Trust::kRootOwned),
          profile.tunnel.config, [&own](std::string_view directive, const std::string& name) {
            return own.read(directive, name);
          });
      own.check_authority(config.text);
      check_named_login(credential_files(profile, config));
      for (const auto& note : config.ignored) {
        log::debug("{}: {}, left out", profile.tunnel.config, note);
      }
      configuration.tunnel = std::move(config);
    } catch (const Error& error) {
      throw ConfigurationError(error);
    }
  }
  return configuration;
}

}  // namespace vpnrun::service
