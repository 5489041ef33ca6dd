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
///
/// One string may stand in front of the others without the mark: kStackLimitPrefix and the soft
/// RLIMIT_STACK in decimal bytes, or kUnlimited. The kernel cuts that limit to 8 MiB at a setuid
/// step (execve(2) does not say so); the helper sets it again after the drop, within the caller's
/// hard limit. `vpnrun` sends it if, and only if, its own soft limit is greater than kStackCut.
constexpr char kEnvironmentMark = '+';
constexpr const char* kStackLimitPrefix = "-RLIMIT_STACK=";
constexpr const char* kUnlimited = "unlimited";
constexpr unsigned long kStackCut = 8UL * 1024 * 1024;
constexpr const char* kHelperName = "vpnrun-helper";

/// Exit codes of vpnrun's own failures, after the convention of env(1) and chroot(1).
constexpr int kExitOwnFailure = 125;
constexpr int kExitNotExecutable = 126;
constexpr int kExitNotFound = 127;

}  // namespace vpnrun
