// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"

namespace vpnrun {

/// What lies beside the profiles and is none, and what is left of profiles that are gone, each as a
/// sentence for a person: files in the profiles' folder with a name that no profile has, OpenVPN
/// and WireGuard configurations that no profile names, leftovers of editors and package managers;
/// prepared tunnels and enabled units whose profile does not exist. Sorted; printable. Keys and
/// credentials are nobody's business. What the caller may not read is passed over.
[[nodiscard]] std::vector<std::string> find_strays(const Places& places, const UnitPlaces& units);

}  // namespace vpnrun
