// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "systemd/service/configuration.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/accounts.h"
#include "systemd/service/os/event_loop.h"
#include "systemd/service/session.h"

namespace vpnrun::service {

/// Makes the parts that `configuration` asks for: the only place that chooses by the type of a
/// tunnel or a link. They are closed and offline, and replace what a killed companion left. The
/// client runs as `client`; its packets leave through `outer`, the applications live in `inside`;
/// all are borrowed. Throws Error, with nothing left behind.
[[nodiscard]] TunnelParts make_parts(EventLoop& loop, const Configuration& configuration,
                                     const Account& client, Netns& outer, Netns& inside,
                                     PartEvents events);

}  // namespace vpnrun::service
