// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

namespace vpnrun::netlink {

/// Makes the persistent tun device `name` (IFF_TUN|IFF_NO_PI) in the calling thread's network
/// namespace, for a client that runs as `owner`: it attaches without any capability. One that
/// exists already is taken over with the new owner. false: it existed.
///
/// Remove it with delete_link(). Throws Error with a hint if /dev/net/tun is missing or closed to
/// us, if the name belongs to another kind of link, or (EBUSY) if a client is still attached. See
/// the kernel's Documentation/networking/tuntap.rst.
bool create_tun(const std::string& name, ::uid_t owner);

}  // namespace vpnrun::netlink
