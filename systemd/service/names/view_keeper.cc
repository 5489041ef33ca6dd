// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/view_keeper.h"

#include <fcntl.h>

#include <utility>

#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/log.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {

ViewKeeper::ViewKeeper(EventLoop& loop, const PreparedNamespaces& namespaces,
                       std::string profile_name)
    : namespaces_(namespaces),
      profile_name_(std::move(profile_name)),
      view_watch_(loop, watched_folders(view_sources(profile_name_)), [this] { renew(); }),
      automount_watch_(loop, [this] { renew(); }),
      own_name_watch_(loop, [this] { renew(); }) {}

void ViewKeeper::renew() noexcept {
  try {
    renew_overlays(namespaces_, profile_name_);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

void ViewKeeper::write_resolvers(const std::vector<IpAddress>& resolvers,
                                 const std::vector<std::string>& search_domains) noexcept {
  try {
    const UniqueFd etc(::openat(namespaces_.directory.get(), kEtcEntry,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!etc.ok()) {
      throw_errno("cannot open '{}'", runtime_path(profile_name_, kEtcEntry));
    }
    std::vector<std::string> servers;
    servers.reserve(resolvers.size());
    for (const auto& resolver : resolvers) {
      servers.push_back(resolver.str());
    }
    write_resolv_conf(etc.get(), resolv_conf_text(servers, search_domains));
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

}  // namespace vpnrun::service
