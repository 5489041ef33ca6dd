// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "launcher/program.h"

namespace vpnrun {

/// Whether `path`, without symbolic links on the way, is the program that starts snaps, or lies in
/// a snap. "/snap/bin/firefox" is a link to "/usr/bin/snap".
[[nodiscard]] bool is_snap(std::string_view path);

/// Whether `text`, the beginning of a file, is a script that becomes a snap: what distributions
/// leave where a package has been replaced by one (exec /snap/bin/firefox "$@").
[[nodiscard]] bool becomes_snap(std::string_view text);

/// Throws Error, with a hint, if `program`, which `command` leads to, is a snap. snapd starts such
/// a program in the mount namespace of process 1, with the machine's /run: its names would be
/// looked up outside. A snap that another program starts cannot be seen here; that program finds no
/// snaps in the view (systemd/service/names/covered_folders.h).
void refuse_snap(const std::string& command, const Program& program);

}  // namespace vpnrun
