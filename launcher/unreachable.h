// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/places.h"
#include "launcher/report.h"
#include "launcher/unix_sockets.h"

// What the environment names and a profile hides: ports of the machine's loopback, which is not the
// profile's, and abstract Unix sockets, which belong to a network namespace. Programs find out by
// "connection refused"; a person is told before.
namespace vpnrun {

/// The host in "HOST", "HOST:PORT", "SCHEME://LOGIN@HOST:PORT/PATH"; brackets of an IPv6 address
/// are taken off. Empty if there is none.
[[nodiscard]] std::string_view host_in_url(std::string_view url) noexcept;

/// Whether `host` is the machine itself by its loopback, or by its own name.
[[nodiscard]] bool is_this_machine(std::string_view host);

/// One warning for each service that a variable of `environment` names and that programs inside
/// `profile` cannot reach, or, for a display of another computer, may not reach. Looks into the
/// environment, and at files and sockets only if a variable gives reason to; connects to nothing.
/// No login that stands in an address is repeated.
[[nodiscard]] std::vector<Warning> unreachable_inside(const std::string& profile,
                                                      char* const* environment,
                                                      const Places& places, UnixSockets& sockets);

}  // namespace vpnrun
