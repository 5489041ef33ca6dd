// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "launcher/ctl/drop_in_file.h"
#include "launcher/ctl/service_manager.h"
#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"
#include "launcher/report.h"

// Services behind a tunnel: a drop-in for the unit, which does all the work, and a line in the
// record (attached.h) by which a drop-in that is gone is noticed.
namespace vpnrun {

/// What `attach` and `detach` were asked for.
struct AttachOrder {
  std::string unit;
  std::string profile;
  std::vector<std::string> run_paths;  ///< --path
  UnitScope scope = UnitScope::kSystem;
  bool now = false;    ///< --now: restart the unit if it runs
  bool force = false;  ///< --force: whatever it cuts off, and although a socket outside starts it
};

/// The folder of the drop-ins: the administrator's, or the caller's by XDG_CONFIG_HOME and HOME.
/// Throws Error if a user has none, or root asks for its own units outside of a session.
[[nodiscard]] std::string unit_folder(UnitScope scope, const UnitPlaces& units,
                                      char* const* environment);

/// Writes the drop-in, has systemd read it, and looks whether it is in force; if it is not, what
/// was there before is put back. Warns of ports of the unit that are no longer reached. Throws
/// Error.
void attach(const AttachOrder& order, const Places& places, const UnitPlaces& units,
            char* const* environment, Reporter& reporter);

/// Removes the drop-in and has systemd forget it. A unit that is not attached is not an error.
/// Throws Error.
void detach(const AttachOrder& order, const Places& places, const UnitPlaces& units,
            char* const* environment, Reporter& reporter);

}  // namespace vpnrun
