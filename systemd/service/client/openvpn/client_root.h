// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "systemd/service/os/accounts.h"

namespace vpnrun::service::openvpn {

/// What a client sees of the machine: little more than programs and libraries, so that a client
/// that its server has taken over learns nothing, least of all about other profiles.
///
///   /usr /lib* /bin /sbin …  the machine's, read-only and without setuid
///   /etc                     its own passwd, group and nsswitch.conf; the machine's loader cache
///                            and settings of the cryptographic library
///   /dev                     null, zero, full, random, urandom, net/tun
///   /proc                    of its own pid namespace
///   /tmp                     64 KiB of its own
///   /run/vpnrun/.client-NAME the folder of its management socket
///   /openvpn                 a copy of the program that it may execute but not read: the kernel
///                            then makes the process not dumpable (PR_SET_DUMPABLE in prctl(2)),
///                            which closes it to its own user as well, also if it executes the
///                            copy again
struct ClientRoot {
  std::string program;  ///< on the machine
  std::string folder;   ///< at the same path inside
  Account account;
};

/// The path of the program inside.
[[nodiscard]] std::string program_inside(const ClientRoot& root);

/// For SpawnOptions::furnish: turns the child's mount namespace into such a root. Throws Error.
void enter_client_root(const ClientRoot& root);

}  // namespace vpnrun::service::openvpn
