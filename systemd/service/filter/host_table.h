// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/nft.h"
#include "systemd/service/filter/records.h"

namespace vpnrun::filter {

/// The one table of all profiles (kHostTable) in the namespace that `nft` works in, for one
/// profile's companion, or for whoever takes back what that made.
///
/// What each profile has in the table is recorded in a file of its own below `records`, from before
/// it is added until it is deleted, so that a companion that is killed at any moment leaves nothing
/// unrecorded. The last profile takes table and records with it. If somebody deletes the table,
/// each companion makes its own part again.
///
/// The caller holds the host's lock (service::HostLock) for each call that changes something, and
/// from the moment when it finds out what is guarded until that call has returned. Every call
/// throws Error.
class HostTable {
 public:
  /// `nft` is borrowed.
  HostTable(Nft& nft, std::filesystem::path records);

  /// Makes the table have what `filter` says and nothing else for this profile, in one transaction;
  /// the guard of all profiles is that of `filter`. Also throws Error if the link belongs to
  /// another profile. The first call removes what a companion of vpnrun 0.1.0 left for the profile.
  void set(const HostFilter& filter);
  /// The same for ARP: to be called after set(). A kernel may lack it.
  void set_arp(const HostFilter& filter);
  /// To be called after the first set() of a link, and not again. A kernel may lack it.
  void set_flow_limit(const HostFilter& filter, FlowLimit limit);

  /// Whether the profile's part is in the table, and the table is the one that this object has had
  /// to do with. False: somebody has removed it, and what is there now may be older.
  [[nodiscard]] bool has(const std::string& profile_name);
  /// Whether the table guards exactly what `filter` names, as far as this is known.
  [[nodiscard]] bool guards(const HostFilter& filter) const;

  /// Takes the profile out, whether or not its companion is alive; it is not an error if it has
  /// nothing there. What stays is guarded as given (see HostFilter).
  void remove(const std::string& profile_name, const std::vector<std::string>& guarded_uplinks,
              const std::vector<std::string>& guarded_bridges);

 private:
  [[nodiscard]] HostRest rest(const std::string& profile_name) const;
  void remove_former(const std::string& profile_name);

  Nft& nft_;
  Records records_;
  std::optional<std::uint64_t> number_;  ///< of the table, after set()
  bool is_first_ = true;                 ///< set() has not been called on this object
};

}  // namespace vpnrun::filter
