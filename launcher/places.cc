// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/places.h"

#include <unistd.h>

#include "helper/base/request_format.h"
#include "helper/base/runtime_layout.h"
#include "profiles/profile_store.h"
#include "profiles/protocol/control_message.h"

namespace vpnrun {

Places installed_places() {
  return {.runtime_root = kRuntimeRoot,
          .profile_folder = profile::default_profile_folder(),
          .system_config = VPNRUN_SYSCONFDIR "/vpnrun/config.toml",
          .helper = std::string(VPNRUN_LIBEXECDIR "/") + kHelperName,
          .systemd_marker = "/run/systemd/system",
          .password_agents = kPasswordAgents};
}

bool has_systemd(const Places& places) {
  return ::access(places.systemd_marker.c_str(), F_OK) == 0;
}

std::string runtime_directory(const Places& places, const std::string& profile) {
  return places.runtime_root + "/" + profile;
}

bool is_usable(const Places& places, const std::string& profile) {
  return ::access((runtime_directory(places, profile) + "/.").c_str(), X_OK) == 0;
}

}  // namespace vpnrun
