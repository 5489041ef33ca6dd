// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "launcher/ctl/drop_in_file.h"
#include "launcher/ctl/service_manager.h"
#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"

// What has become of the units that were attached. Each has a record beside the profiles: a drop-in
// that is removed by others (`systemctl revert`) does not say so itself.
namespace vpnrun {

/// The folder of the records, in that of the machine's configuration or in the caller's own
/// (XDG_CONFIG_HOME, HOME).
[[nodiscard]] std::string record_folder(UnitScope scope, const Places& places,
                                        const std::string& unit_folder);

/// Records that `unit` is attached to `profile`. Throws Error.
void write_attached_record(const std::string& folder, const std::string& unit,
                           const std::string& profile);

/// Forgets it. Whether there was one. Throws Error.
bool remove_attached_record(const std::string& folder, const std::string& unit);

/// The units that are recorded or have a drop-in of ours, by name. `file` is empty for those that
/// have none.
[[nodiscard]] std::vector<AttachedUnit> known_units(const std::string& unit_folder,
                                                    const std::string& records);

/// Network namespaces, as far as the caller may see them.
struct Whereabouts {
  std::optional<FileId> process;  ///< that of the unit's main process
  std::optional<FileId> own;      ///< the caller's
  std::optional<FileId> wanted;   ///< the profile's
  std::optional<FileId> named;    ///< the one that /run/netns/PROFILE leads to
};

/// An attached unit as it is now.
struct AttachedState {
  AttachedUnit unit;
  std::string state;  ///< "inside", "outside", "running" (nobody knows where), "stopped", "failed"
  std::string finding;  ///< why it is not, or will not be, in the namespace; empty if all is well
  std::string hint;     ///< what to do about that
};

/// By what systemd says (attached_properties()) and where the unit is.
[[nodiscard]] AttachedState judge_attached(const AttachedUnit& unit,
                                           const UnitProperties& properties,
                                           const Whereabouts& where, UnitScope scope,
                                           const std::string& launcher);
[[nodiscard]] const std::vector<std::string>& attached_properties();

/// Asks systemd about each. Throws Error if it cannot be asked.
[[nodiscard]] std::vector<AttachedState> states_of(const std::vector<AttachedUnit>& units,
                                                   const ServiceManager& manager,
                                                   const Places& places, const UnitPlaces& around);

/// Sentences about units that are not attached but are meant to be behind a tunnel, by settings of
/// their own that do not do that: JoinsNamespaceOf= one of ours, NetworkNamespacePath=. `units` is
/// what systemd says about each (stray_properties()).
[[nodiscard]] std::vector<std::string> strays_among(const std::vector<UnitProperties>& units,
                                                    const std::vector<AttachedUnit>& attached,
                                                    const std::vector<std::string>& profiles,
                                                    UnitScope scope);
[[nodiscard]] const std::vector<std::string>& stray_properties();

}  // namespace vpnrun
