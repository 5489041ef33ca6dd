// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace vpnrun::service {

/// Has IPv4 packets that come in on the host's interface `link` forwarded, for this profile.
///
/// true: forwarding is on there only because one of our profiles asked for it; what else comes in
/// on that interface must then be kept from being forwarded (HostFilter::guarded_uplinks). false:
/// the host forwards of its own, or has come to since. Throws Error. See the kernel's
/// ip-sysctl.rst, conf/interface/forwarding.
[[nodiscard]] bool forward_for(const std::string& profile_name, const std::string& link);

/// Takes back what forward_for() did for the profile; the setting is restored with the last profile
/// that needed it. Throws Error.
void stop_forwarding_for(const std::string& profile_name);

}  // namespace vpnrun::service
