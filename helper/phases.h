// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/limits.h>

#include <array>

#include "helper/base/runtime_layout.h"
#include "helper/request.h"

namespace vpnrun {

/// A directory by path and by identity.
struct Directory {
  std::array<char, PATH_MAX> path{};
  FileId id;
};

/// Makes the process safe to be privileged: enough arguments, not dumpable (no ptrace(2), no core),
/// descriptors 0 to 2 taken, so that no file of ours becomes somebody's standard error. What stands
/// in for a descriptor that the caller had closed is close-on-exec: the application finds it
/// closed.
///
/// Should: be the first call of main().
/// Must not: touch signals, umask, limits or other descriptors; they are the application's.
void sanitise_process(int argc) noexcept;

/// The current directory, by getcwd(2) itself. Dies if it was deleted or lies outside the root.
///
/// Should: run with the caller's rights, before setns(2) moves us to the view's root.
void remember_directory(Directory& out) noexcept;

/// Enters `directory` again by path and dies unless it is the same one: some paths (/sys, part of
/// /etc) lead elsewhere in the view, and a directory that the caller once entered with other rights
/// may be closed to him now. An open descriptor would lead out of the view; none is used.
///
/// Should: run after the drop, so that the kernel checks the caller's rights on the way.
void return_to(const Directory& directory) noexcept;

/// Replaces this process by the command, as execvp(3) does with the PATH of the restored
/// environment: searches only for a name without '/', goes on after "permission denied", hands a
/// file without a known format to /bin/sh. Dies with 127 if nothing was found and 126 if what was
/// found does not start; a folder of PATH that the caller may not search has nothing to find.
///
/// Should: be the last phase.
/// Must not: run with any privilege left.
[[noreturn]] void run_command(const Request& request) noexcept;

}  // namespace vpnrun
