// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "profiles/findings.h"
#include "profiles/openvpn_config.h"

// Whether the lines of a configuration make a client together. Private to openvpn_config.cc.
namespace vpnrun::profile {

/// Whether it can be said of a directive that it is missing.
enum class Absence : std::uint8_t {
  kTold,
  kUnclear,  ///< a line that is refused may have been meant as any
};

/// Adds what check_client_config() finds. `config.given` also has what lines that are refused were
/// meant as: of such lines the finding is there already.
void add_client_findings(const OpenvpnConfig& config, Absence absence, Findings& findings);

}  // namespace vpnrun::profile
