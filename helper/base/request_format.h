// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun {

/// How `vpnrun` calls `vpnrun-helper`.
///
///   argv: { "vpnrun-helper", PROFILE, COMMAND, ARG… }
///   envp: every string of the application's environment, in its order, each with kEnvironmentMark
///         put in front.
///
/// At a setuid step the dynamic loader and libc remove variables by name (LD_LIBRARY_PATH, TMPDIR,
/// GLIBC_TUNABLES, …; ld.so(8), secure_getenv(3)) and act on others. With the mark in front no name
/// is theirs: nothing is removed and nothing is looked at. After the drop the helper steps over the
/// mark, and the application has its environment byte for byte. (The environment does not travel in
/// argv: /proc/PID/cmdline is readable by everybody, /proc/PID/environ is not.)
constexpr char kEnvironmentMark = '+';
constexpr const char* kHelperName = "vpnrun-helper";

/// Exit codes of vpnrun's own failures, after the convention of env(1) and chroot(1).
constexpr int kExitOwnFailure = 125;
constexpr int kExitNotExecutable = 126;
constexpr int kExitNotFound = 127;

}  // namespace vpnrun
