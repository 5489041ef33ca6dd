// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profiles/profile.h"

namespace vpnrun {

/// A key by which root has made an exception from what vpnrun promises. Shown in the status and at
/// the launch.
struct PromiseException {
  std::string key;    ///< "application.i386"
  std::string opens;  ///< "its programs can …": one line, for people
  friend bool operator==(const PromiseException&, const PromiseException&) = default;
};

/// What [application] i386 = true allows, after "its programs can": socket families that no network
/// namespace confines are named, as far as Linux has them.
constexpr std::string_view kOpenedByI386 =
    "make sockets of every family by 32-bit system calls, also of those that no tunnel confines "
    "(AF_VSOCK, AF_BLUETOOTH, AF_NFC, AF_QIPCRTR, AF_IUCV, AF_ISDN, AF_PHONET, AF_CAIF, AF_IB, "
    "AF_RDS, AF_SMC, AF_TIPC, AF_RXRPC, AF_CAN)";

/// The key of the one that 0.1.0 has as well.
constexpr std::string_view kExceptionOfPorts = "ports.expose";

/// The exceptions that `profile` makes.
[[nodiscard]] std::vector<PromiseException> exceptions_of(const profile::Profile& profile);

}  // namespace vpnrun
