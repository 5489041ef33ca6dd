// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "systemd/service/netns.h"

namespace vpnrun::service {

/// Value of net.ipv4.conf.LINK.forwarding that our profiles write. To the kernel every value but 0
/// means on (IN_DEV_FORWARD in linux/inetdevice.h). Anybody else who switches it on writes 1, also
/// over our value: that is a change, so the kernel reports it (RTM_NEWNETCONF; it does not report 1
/// over 1). From then on the setting is theirs, and we neither guard it nor switch it off. "vr" in
/// ASCII.
constexpr const char* kOurForwarding = "30322";

/// The interfaces of `outer` on which forwarding is on only because one of our profiles asked for
/// it, or will be once forward_for() is called for each of `links`. Nothing that comes in there may
/// be forwarded, except over our links (HostFilter::guarded_uplinks), from before that call until
/// release, even when the route to the server has moved to another interface. Never a loopback
/// device. Where somebody else has switched forwarding on since then, the record is removed. Throws
/// Error.
[[nodiscard]] std::vector<std::string> guarded_links(Netns& outer,
                                                     const std::vector<std::string>& links);

/// Switches on forwarding of IPv4 packets that come in on the interface `link` of `outer`, for this
/// profile. To be called for what guarded_links() returned, once the filter guards it. Does nothing
/// if forwarding is on there without us. Throws Error. See the kernel's ip-sysctl.rst,
/// conf/interface/forwarding.
void forward_for(Netns& outer, const std::string& profile_name, const std::string& link);

/// Undoes what forward_for() did for the profile: once no profile needs it, the setting is 0 again,
/// unless somebody else has switched it on. Throws Error.
void stop_forwarding_for(Netns& outer, const std::string& profile_name);

}  // namespace vpnrun::service
