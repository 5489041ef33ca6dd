// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "launcher/ctl/unit_places.h"
#include "launcher/places.h"

namespace vpnrun {

/// What `log` was asked for.
struct LogOrder {
  std::string profile;
  std::string lines = "50";  ///< a number, or "all"
  bool follow = false;
  bool json = false;
};

using Printer = std::function<void(std::string_view text)>;
using Teller = std::function<void(std::string_view text)>;

/// Shows the profile's log. Whoever may read the machine's journal becomes journalctl(1), which
/// shows what all of the profile's units said; it does not page. Anybody else whom the profile
/// admits is shown what the companion that runs has kept, by its control socket. With `follow` it
/// returns only by an exception: a companion that ends is waited for, and `tell` is told. Throws
/// Error, with a hint if there is no companion. Starts nothing.
void show_log(const LogOrder& order, const Places& places, const UnitPlaces& units,
              char* const* environment, const Printer& print, const Teller& tell);

}  // namespace vpnrun
