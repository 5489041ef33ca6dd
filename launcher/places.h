// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun {

/// Where on the machine a program looks. The programs use installed_places(); tests make their own.
/// No environment variable changes them: a different helper would be somebody else's program.
struct Places {
  std::string runtime_root;     ///< kRuntimeRoot
  std::string profile_folder;   ///< the administrator's profiles
  std::string system_config;    ///< SYSCONFDIR/vpnrun/config.toml
  std::string helper;           ///< vpnrun-helper
  std::string systemd_marker;   ///< a path that exists while systemd runs the machine, sd_booted(3)
  std::string password_agents;  ///< kPasswordAgents
  std::string proc = "/proc";
  std::string x11_sockets = "/tmp/.X11-unix";  ///< where X servers have their sockets
  std::string machine_id = "/etc/machine-id";  ///< machine-id(5)
};

[[nodiscard]] Places installed_places();

/// Whether systemd runs this machine.
[[nodiscard]] bool has_systemd(const Places& places);

/// `RUNTIME_ROOT/NAME`
[[nodiscard]] std::string runtime_directory(const Places& places, const std::string& profile);

/// Whether the caller may use the profile: its runtime directory is there and may be searched.
[[nodiscard]] bool is_usable(const Places& places, const std::string& profile);

}  // namespace vpnrun
