// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// Mounts, in the calling process's mount namespace (a view), an empty folder that nobody can write
/// to over each of these that exists:
///
///   automount folders     of autofs with "indirect" maps, such as /net: at the first access to a
///                         name there, a daemon outside looks it up. One with home folders in it
///                         is left as it is. So are direct maps, such as those of systemd's
///                         automount units, which have fixed targets.
///   /snap, /usr/lib/snapd, /usr/libexec/snapd, /var/lib/snapd
///                         because snaps are started by a launcher that enters the mount namespace
///                         of process 1, where it has the host's /run again
///   /dev/infiniband       because no network namespace confines its devices
///
/// A covered folder stays covered, whatever is mounted and unmounted there on the host: a mount
/// that arrives is put below the cover (mount_namespaces(7)). A folder that does not exist yet is
/// covered when this is called again; for automounters, automount_watch.h has that done at once.
/// Throws Error.
void cover_folders();

}  // namespace vpnrun::service
