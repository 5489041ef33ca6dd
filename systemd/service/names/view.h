// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "systemd/service/names/view_watch.h"

namespace vpnrun::service {

/// Where the view's own files come from; absolute host paths.
struct ViewSources {
  std::string etc;            ///< generated files: resolv.conf, nsswitch.conf, hosts
  std::string administrator;  ///< "/etc/netns/NAME"; need not exist
};

/// Turns the calling process's mount namespace into a view for applications. To be called in a
/// child that is already in the profile's network namespace.
///
/// Afterwards the process is in a mount namespace of its own, a slave of the host's: mounts made on
/// the host later appear in it, and none of its own on the host. /sys is the network namespace's,
/// with the submounts (cgroup and the others) kept; /run is the view's own (run_folder.h); the
/// folders of covered_folders.h are empty; the overlays of lay_overlays() are in place. Throws
/// Error. See mount_namespaces(7).
void build_view(const ViewSources& sources);

/// Mounts, in the calling process's mount namespace, every file of `sources` over the file of that
/// name in /etc. What is in place already is left alone; a file that does not exist in /etc is left
/// out.
///
/// When the host replaces the file by rename(2), the kernel detaches such a mount, so this is
/// called again whenever something changes in watched_folders(). An application that reads the
/// host's file until then is still kept to the tunnel by the filter and by run_folder.h. Throws
/// Error.
void lay_overlays(const ViewSources& sources);

/// Folders on the host whose entries lay_overlays() and follow_run_folder() depend on, and which
/// entries matter.
[[nodiscard]] std::vector<WatchedFolder> watched_folders(const ViewSources& sources);

}  // namespace vpnrun::service
