// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "profiles/base/ip_address.h"
#include "systemd/service/names/automount_watch.h"
#include "systemd/service/names/own_name.h"
#include "systemd/service/names/view_watch.h"
#include "systemd/service/namespace.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Keeps the applications' view of the file system in line with the host for as long as the
/// companion runs, and its resolv.conf with the tunnel.
class ViewKeeper {
 public:
  /// `namespaces` is borrowed. Throws Error if the host cannot be watched.
  ViewKeeper(EventLoop& loop, const PreparedNamespaces& namespaces, std::string profile_name);

  /// Brings the view in line with the host now. Failures are logged: the next change tries again.
  void renew() noexcept;
  /// Writes the resolv.conf that applications read from now on. Failures are logged: the filter
  /// redirects queries to the right resolver all the same.
  void write_resolvers(const std::vector<IpAddress>& resolvers,
                       const std::vector<std::string>& search_domains) noexcept;

 private:
  const PreparedNamespaces& namespaces_;
  std::string profile_name_;
  ViewWatch view_watch_;
  AutomountWatch automount_watch_;
  OwnNameWatch own_name_watch_;
};

}  // namespace vpnrun::service
