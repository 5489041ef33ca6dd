// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace vpnrun {

/// Root-owned, mode 0711, one directory a profile below it. A name below it that no profile can
/// have (it starts with '.') is the companion's own.
constexpr const char* kRuntimeRoot = "/run/vpnrun";

/// Entries of a profile's runtime directory, `kRuntimeRoot/NAME`. The directory is root:root, 0750,
/// with an ACL for the admitted: its permissions are the whole access control.
constexpr const char* kNetnsEntry = "netns";    ///< nsfs bind of the network namespace
constexpr const char* kViewEntry = "mnt";       ///< nsfs bind of the applications' mount namespace
constexpr const char* kOriginEntry = "origin";  ///< one Origin, root-owned, mode 0444
constexpr const char* kControlEntry = "control";   ///< Unix stream socket of the companion
constexpr const char* kStateEntry = "state.json";  ///< last state, for people and scripts
/// An empty file. The companion holds a write lock on it (fcntl(2), F_SETLK) exactly as long as the
/// tunnel is up; whoever may read it asks with F_GETLK. No answer of a process is waited for, and
/// the kernel takes the lock away together with its holder.
constexpr const char* kUpEntry = "up";
constexpr const char* kEtcEntry = "etc";  ///< files laid over /etc in the view

/// Identity of a file or namespace: what stat(2) reports of it.
struct FileId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// A process's standpoint: the namespaces and the root directory through which it sees the machine.
/// `prepare` records its own in the profile's directory; the helper compares its caller's with it.
struct Standpoint {
  FileId mount_namespace;
  FileId pid_namespace;
  FileId user_namespace;
  FileId network_namespace;
  FileId root;                   ///< st_dev and st_ino of "/"
  std::uint64_t root_mount = 0;  ///< stx_mnt_id of "/", so that a chroot into a bind of / differs
  friend bool operator==(const Standpoint&, const Standpoint&) = default;
};

/// The fixed-size record `origin`: host byte order, written by and for the same machine and boot.
struct Origin {
  static constexpr std::uint64_t kMagic =
      0x344e4952504e5256;  // "VRNPRIN4": changes with the layout
  std::uint64_t magic = kMagic;
  Standpoint host;  ///< the one that the view was copied from, and the network that it is kept from
  FileId netns;     ///< the namespaces that the entries must lead to
  FileId view;
  std::uint64_t no_new_privs = 0;     ///< 1: applications run with PR_SET_NO_NEW_PRIVS; else 0
  std::uint64_t from_namespaces = 0;  ///< 1: callers in another network namespace enter; else 0
  std::uint64_t i386 = 0;  ///< 1: socket calls of 32-bit x86 pass the filter unseen; else 0
};

/// Fills `out` with the calling process' standpoint, read from a genuine procfs at /proc.
/// False with errno on failure: ENOSYS/EPERM as of openat2(2)/statx(2), ENOTTY if /proc is no
/// procfs.
[[nodiscard]] bool current_standpoint(Standpoint& out) noexcept;

/// Reads and checks `origin` below `dir_fd`: a regular root-owned file, not writable by others, of
/// exactly sizeof(Origin) bytes with the right magic. False with errno otherwise (EPERM: wrong
/// owner or mode, EINVAL: wrong size or magic, or a flag that is neither 0 nor 1).
[[nodiscard]] bool read_origin(int dir_fd, Origin& out) noexcept;

}  // namespace vpnrun
