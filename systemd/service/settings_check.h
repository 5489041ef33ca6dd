// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "profiles/base/endpoint.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/link/link.h"

namespace vpnrun::service {

/// Throws Error with a hint if the server assigned an address that belongs to no single host
/// (loopback, multicast, …), or an address of the link or of an endpoint: with such an address a
/// server could do more than give us a tunnel that does not work. Pure.
void check_settings(const TunnelSettings& settings, const std::optional<LinkAddresses>& link,
                    const std::vector<Endpoint>& endpoints);

}  // namespace vpnrun::service
