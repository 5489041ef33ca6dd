// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "profiles/openvpn_config.h"
#include "profiles/profile.h"
#include "systemd/service/client/openvpn/process.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// The client of `profile`, whose processes run in `place` with the tunnel device `device`.
/// `make_device` makes that device; what it returns lives as long as the client and then removes
/// it. Throws Error, with nothing left behind; also if OpenVPN is not installed, which is thus
/// reported before names are looked up.
[[nodiscard]] std::unique_ptr<TunnelClient> make_openvpn_client(
    EventLoop& loop, const profile::Profile& profile, profile::OpenvpnConfig config,
    const openvpn::ProcessPlace& place, const std::string& device,
    const std::function<std::shared_ptr<void>()>& make_device, TunnelEvents events);

}  // namespace vpnrun::service
