// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"

namespace vpnrun {

/// A profile's runtime directory, opened with the caller's rights, and what `prepare` recorded.
struct ProfileAccess {
  const char* name;
  UniqueFd directory;
  Origin origin;
};

/// The two namespaces of a profile, checked to be the recorded ones.
struct Namespaces {
  const char* profile;
  UniqueFd netns;
  UniqueFd view;
};

/// Opens kRuntimeRoot/`name`. That the kernel lets the caller do so *is* the access decision. A
/// profile that does not exist, is not prepared or does not admit the caller gets the same answer.
/// Dies too if either directory does not belong to root or may be written by others.
///
/// Should: run with the caller's ids and an empty effective set (become_caller).
/// Must not: tell absent from forbidden.
[[nodiscard]] ProfileAccess open_profile(const char* name) noexcept;

/// Dies unless the caller sees the machine from where the view was copied: the same mount, pid,
/// user and network namespace, the same root directory. Whoever is confined (chroot, container,
/// unit with a private file system or network, another profile) must gain neither the host's view
/// nor a network. Only the latter is the profile's to allow ([access] from_namespaces).
///
/// Should: run before a namespace is opened, and before setns(2) changes the answer.
void check_standpoint(const ProfileAccess& profile) noexcept;

/// Opens the two namespaces below the directory and dies unless they are of the right kind and
/// have the recorded identities.
[[nodiscard]] Namespaces open_namespaces(const ProfileAccess& profile) noexcept;

/// Enters the network namespace, then the view. The current directory is afterwards the view's
/// root. See setns(2).
///
/// Should: run with kJoinCapabilities effective.
/// Must not: touch a path of the view while they are.
void join_namespaces(const Namespaces& namespaces) noexcept;

}  // namespace vpnrun
