// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace vpnrun::service {

/// The host's interfaces on which forwarding is on only because one of our profiles asked for it,
/// or will be once forward_for() is called for each of `links`: what else comes in there must be
/// kept from being forwarded (HostFilter::guarded_uplinks), from before that call until release,
/// also when the way to the server has moved to another interface. Empty if the host forwards of
/// its own. Throws Error.
[[nodiscard]] std::vector<std::string> guarded_links(const std::vector<std::string>& links);

/// Has IPv4 packets that come in on the host's interface `link` forwarded, for this profile. Throws
/// Error. See the kernel's ip-sysctl.rst, conf/interface/forwarding.
void forward_for(const std::string& profile_name, const std::string& link);

/// Takes back what forward_for() did for the profile; the setting is restored with the last profile
/// that needed it. Throws Error.
void stop_forwarding_for(const std::string& profile_name);

}  // namespace vpnrun::service
