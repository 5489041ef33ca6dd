// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/configuration.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "profiles/own_files.h"
#include "profiles/profile_store.h"
#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/link/remotes_check.h"

namespace vpnrun::service {
namespace {

/// What `name` in a configuration at `configuration` leads to; empty if it leads out of its folder:
/// on the way there even a look at the file may do something (an automounter's folder).
std::string beside(const std::string& configuration, const std::string& name) {
  const std::string folder = configuration.substr(0, configuration.rfind('/') + 1);
  const std::string path = name.starts_with('/') ? name : folder + name;
  const bool leads_out =
      !path.starts_with(folder) || ("/" + path + "/").find("/../") != std::string::npos;
  return leads_out ? std::string() : path;
}

/// Throws Error about a file that the machine has and the companion does not see.
void refuse_hidden(const std::string& path) {
  const bool is_unit = ::secure_getenv("INVOCATION_ID") != nullptr;  // systemd.exec(5)
  const std::string folder = is_unit ? hidden_folder(path) : std::string();
  if (!folder.empty()) {
    throw Error(formatted("cannot read '{}': '{}' is hidden from the companion by its unit",
                          printable(path), printable(folder)),
                std::make_error_code(std::errc::no_such_file_or_directory),
                formatted("ProtectHome=, PrivateTmp= and the like in vpnrun@.service do that; put "
                          "the file into {0}: install -m 600 '{1}' {0}/",
                          profile::default_profile_folder(), printable(path)));
  }
}

/// The same, but of a file that only the companion does not see it says so.
Error explained(const Error& error, const std::string& path) {
  if (error.code() == std::errc::no_such_file_or_directory ||
      error.code() == std::errc::permission_denied) {
    try {
      refuse_hidden(path);
    } catch (const Error& better) {
      return better;
    }
  }
  return error;
}

/// Checks the file with user name and password that the configuration names, so that an error in it
/// is reported before a packet is sent.
void check_named_login(const CredentialFiles& files, profile::Findings& findings) {
  if (!files.profile_file.empty() || files.configuration_file.empty()) {
    return;
  }
  try {
    (void)named_login(files);
  } catch (const Error& error) {
    findings.add(files.line, error);
  }
}

/// A key that stands in the configuration is kept as one in a file of its own (OwnFiles).
void check_own_key(const profile::OpenvpnConfig& config, const std::string& path,
                   const struct stat& status, profile::Findings& findings) {
  constexpr unsigned kOthersRead = S_IRGRP | S_IROTH;
  if ((status.st_mode & kOthersRead) != 0 && config.secret_line != 0) {
    findings.add(config.secret_line,
                 Error("a private key is in this file, and users other than its owner can read it",
                       std::make_error_code(std::errc::operation_not_permitted),
                       profile::cure("chmod 0600", path)));
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

void mark(Configuration& configuration, const std::string& path) {
  if (!path.empty()) {
    configuration.files.push_back(mark_of(path));
  }
}

/// `reading`: always the file that is being read, for whoever catches what this throws.
void add_openvpn(Configuration& configuration, std::string& reading) {
  const profile::Profile& profile = configuration.profile;
  const std::string& path = profile.tunnel.config;
  profile::OwnFiles own(profile::place_of(profile));
  struct stat status {};
  mark(configuration, path);
  const std::string text =
      profile::read_trusted_file(path, profile::Trust::kRootOwned, std::size_t{1} << 20U,
                                 [&status](const struct stat& opened) { status = opened; });
  auto config = profile::parse_openvpn_client(
      text, path,
      [&](std::string_view directive, const std::string& name) {
        mark(configuration, beside(path, name));
        return own.read(directive, name);
      },
      [&](profile::OpenvpnConfig& read, profile::Findings& findings) {
        leave_out_unreachable(read, findings);
        check_own_key(read, path, status, findings);
        const CredentialFiles credentials = credential_files(profile, read);
        if (credentials.profile_file.empty() && !credentials.configuration_file.empty()) {
          mark(configuration, beside(path, credentials.configuration_file));
        }
        check_named_login(credentials, findings);
      });
  own.check_authority(config.text);
  const CredentialFiles credentials = credential_files(profile, config);
  if (!credentials.profile_file.empty()) {
    reading = credentials.profile_file;
    mark(configuration, reading);
    if (!configuration.files.back().is_there) {
      refuse_hidden(reading);  // it is read when the server asks, and will not be there then
    }
  }
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
  mark(configuration, formatted("{}/{}{}", profile::default_profile_folder(), profile_name,
                                profile::kProfileSuffix));
  configuration.profile = load_trusted(profile_name);
  const auto& profile = configuration.profile;
  const bool openvpn = profile.tunnel.type == profile::TunnelType::kOpenvpn;
  if ((!openvpn && profile.tunnel.type != profile::TunnelType::kNone) ||
      profile.link.type != profile::LinkType::kVeth) {
    throw ConfigurationError(
        Error(formatted("{}: this version supports [tunnel] type \"openvpn\" and \"none\" over "
                        "[link] type \"veth\" only",
                        profile.path)));
  }
  if (openvpn) {
    std::string path = profile.tunnel.config;  // of what is being read
    try {
      add_openvpn(configuration, path);
    } catch (const Error& error) {
      throw ConfigurationError(explained(error, path));
    }
  }
  return configuration;
}

}  // namespace vpnrun::service
