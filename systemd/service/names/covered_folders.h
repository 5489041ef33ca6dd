// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// Lays, in the calling process' mount namespace (a view), an empty folder that nobody can write to
/// over each of these that exists:
///
///   automount folders     whose names somebody outside looks up at the first touch (autofs,
///                         "indirect" maps, such as /net); one with home folders in it is left as
///                         it is. Direct maps, as systemd's automount units are, have fixed targets
///                         and are left alone.
///   /snap, /usr/lib/snapd, /usr/libexec/snapd, /var/lib/snapd
///                         what the programs of snaps are started by: their launcher enters the
///                         mount namespace of process 1, and has the host's /run again
///   /dev/infiniband       whose devices no network namespace confines
///
/// What is covered stays so, whoever mounts and unmounts there on the host: a mount that arrives is
/// put below (mount_namespaces(7)). What is not there yet is covered when this is called again;
/// automount_watch.h sees to it at once for automounters. Throws Error.
void cover_folders();

}  // namespace vpnrun::service
