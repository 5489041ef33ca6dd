// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/nft.h"

namespace vpnrun::filter {

/// The one table of all profiles (kHostTable) in the namespace that `nft` works in, as one
/// profile's companion, or whoever takes it back, changes it.
///
/// What each profile has in the table is recorded in a file of its own below `records`: before it
/// is added, until it is deleted, so that a companion that is killed at any moment leaves nothing
/// unknown. The last profile takes table and records with it. A table that somebody deleted is made
/// again by each companion as far as it is its own.
///
/// The caller holds the host's lock (service::HostLock) for each call that changes something, and
/// from when it found out what is guarded until that call has returned. Every call throws Error.
class HostTable {
 public:
  /// `nft` is borrowed.
  HostTable(Nft& nft, std::filesystem::path records);

  /// The table has of this profile what `filter` says and nothing else, in one transaction; the
  /// guard of all is that of `filter`. Throws Error also if the link is another profile's. The
  /// first call takes away what a companion of vpnrun 0.1.0 left for the profile.
  void set(const HostFilter& filter);
  /// The same for ARP: to be called after set(). A kernel may be without it.
  void set_arp(const HostFilter& filter);
  /// After the first set() of a link, and not again. A kernel may be without it.
  void set_flow_limit(const HostFilter& filter, FlowLimit limit);

  /// Whether the profile's part is in the table, or somebody has taken it away.
  [[nodiscard]] bool has(const std::string& profile_name);
  /// Whether the table guards exactly these, as far as this is known.
  [[nodiscard]] bool guards(const HostFilter& filter) const;

  /// Takes the profile out, whether its companion lives or not; nothing of it there is no error.
  /// What stays is guarded as named (see HostFilter).
  void remove(const std::string& profile_name, const std::vector<std::string>& guarded_uplinks,
              const std::vector<std::string>& guarded_bridges);

 private:
  [[nodiscard]] HostElements read(const std::string& name) const;
  void write(const std::string& name, const HostElements& elements) const;
  void note(const std::string& name, const HostElements& elements) const noexcept;
  void erase(const std::string& name) const;
  [[nodiscard]] HostRest rest(const std::string& profile_name) const;
  void remove_former(const std::string& profile_name);

  Nft& nft_;
  std::filesystem::path records_;
  bool is_first_ = true;  ///< nothing has been set by this object
};

}  // namespace vpnrun::filter
