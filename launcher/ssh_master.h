// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/unix_sockets.h"

namespace vpnrun {

/// A shared connection of ssh (ControlMaster in ssh_config(5)) that was made outside.
struct SshMaster {
  bool certain = false;  ///< by its name it is for the very host that the command asks for
  std::string path;      ///< its control socket
};

/// The paths of the control sockets in `sockets` that belong to this user. ssh binds such a socket
/// as PATH.RANDOM, with 16 letters and digits, and makes PATH a link to it, so the kernel knows it
/// by a name that nothing else has.
[[nodiscard]] std::vector<std::string> ssh_masters(UnixSockets& sockets);

/// The shared connection that `words`, a call of ssh or of a program that calls it (scp, sftp,
/// sshfs, rsync, git), uses or may use. The configuration is not read: only ssh knows what of it
/// applies, and it may run programs to find out.
[[nodiscard]] std::optional<SshMaster> find_ssh_master(const std::vector<std::string_view>& words,
                                                       char* const* environment,
                                                       UnixSockets& sockets);

}  // namespace vpnrun
