// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// The view's own /run: a tmpfs of the view with the host's entries bound into it one by one,
/// except those through which daemons outside look up names, or start programs that do not have
/// this /run:
///
///   /run/nscd             nscd(8); glibc asks it before it looks at nsswitch.conf
///   /run/systemd/resolve  systemd-resolved: varlink, and the stub's resolv.conf
///   /run/avahi-daemon     mDNS
///   /run/dbus             org.freedesktop.resolve1 and org.freedesktop.Avahi on the system bus
///   /run/snapd and its sockets  see covered_folders.h
///
/// To mount an empty folder over each of these in a shared /run would not be enough: when the host
/// removes the folder and makes it again, as happens when a daemon restarts, the kernel removes
/// that mount (mount_namespaces(7)), and the new socket is within reach. Here there is nothing to
/// remove: what is not bound is not there, whether or not the companion is alive.
///
/// /run/vpnrun is bound without the namespaces that are mounted in it: the mounts would keep those
/// namespaces alive.

/// Mounts the new /run over the one that the calling process sees. Its mount namespace must be a
/// view that has just been copied from `host_namespace` (a descriptor). Throws Error.
void make_run_folder(int host_namespace);

/// Brings /run of the view (a descriptor of its mount namespace) in line with the host's: what is
/// new is bound, what is gone is removed, what is now another file is bound again. An entry that
/// cannot be bound is left out. The calling process is in the view afterwards; it must have one
/// thread (setns(2)). Throws Error.
void follow_run_folder(int host_namespace, int view);

}  // namespace vpnrun::service
