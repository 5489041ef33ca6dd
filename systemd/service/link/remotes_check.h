// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "profiles/findings.h"
#include "profiles/openvpn_config.h"

namespace vpnrun::service {

/// Leaves out the servers of `config` that no link can ever reach, whatever network the machine is
/// in: addresses that check_address() rejects, and names that mean this host to every resolver
/// (RFC 6761, "localhost"). Each has its entry in OpenvpnConfig::left_out; if no server is left,
/// `findings` gets all of them: waiting cannot help. Pure.
void leave_out_unreachable(profile::OpenvpnConfig& config, profile::Findings& findings);
/// The same of one whose other lines have been judged. Throws Error; `path` is the configuration's,
/// for messages.
void leave_out_unreachable(profile::OpenvpnConfig& config, const std::string& path);

}  // namespace vpnrun::service
