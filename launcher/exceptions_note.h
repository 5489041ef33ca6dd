// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "profiles/protocol/status.h"

namespace vpnrun {

/// What root has opened in a profile and what is open from its tunnel, for the launch that brings
/// the tunnel up: one line without control characters; empty if there is nothing. Not
/// application.i386, of which each launch warns.
[[nodiscard]] std::string exceptions_note(const Status& status);

}  // namespace vpnrun
