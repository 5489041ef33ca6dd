// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "helper/base/unique_fd.h"
#include "profiles/profile.h"
#include "systemd/service/names/view.h"
#include "systemd/service/netns.h"

namespace vpnrun::service {

/// Makes what a profile's applications live in: its directory, the network namespace, sealed before
/// any interface exists, and the view. What exists already (after a crash, or at a second call) is
/// checked, repaired and kept, with the applications in it. If it fails, it removes what it has
/// made. Throws Error.
void prepare_namespaces(const profile::Profile& profile);

/// Undoes prepare and whatever a `run` left. Works without the profile's file. It is not an error
/// if nothing is there. Applications still inside stay in the sealed namespace, offline. Throws
/// Error.
void release_namespaces(const std::string& profile_name);

/// The namespaces of a prepared profile, for the companion.
struct PreparedNamespaces {
  UniqueFd directory;
  UniqueFd netns;
  UniqueFd view;
  /// The mount namespace that the view was copied from. It is not that of the calling process if
  /// systemd confines its unit: none of the read-only mounts of a confined unit may get into the
  /// view.
  UniqueFd host;
};

/// Throws Error with a hint if the profile is not prepared, or was prepared in a mount namespace
/// that is neither that of the calling process nor that of process 1.
[[nodiscard]] PreparedNamespaces open_prepared(const std::string& profile_name);

/// The network namespace alone; null: there is none.
[[nodiscard]] std::unique_ptr<Netns> open_network(const std::string& profile_name,
                                                  filter::NftPlace place);

[[nodiscard]] ViewSources view_sources(const std::string& profile_name);

/// Brings the view in line with the host, in a child that joins it: its /run, what is covered in it
/// (covered_folders.h), and the overlays in /etc, with nsswitch.conf and hosts made again from the
/// host's.
/// Throws Error.
void renew_overlays(const PreparedNamespaces& namespaces, const std::string& profile_name);

}  // namespace vpnrun::service
