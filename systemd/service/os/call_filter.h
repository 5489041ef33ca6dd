// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// From now on the kernel refuses, with EPERM (seccomp(2)), to the calling thread and to what it
/// starts or executes, what OpenVPN never does but could do once its server has taken it over:
/// - namespaces of its own, where it would have rights: unshare, setns, clone with CLONE_NEW*,
///   mounts; clone3, whose flags a filter cannot see, fails with ENOSYS (libc falls back to clone);
/// - outliving the companion: prctl(PR_SET_PDEATHSIG);
/// - posing as a server: listen, accept;
/// - memory that no limit counts: files in memory, shared memory and messages of SysV and POSIX;
/// - sockets other than AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK;
/// - other processes, keys, and parts of the kernel that often had faults (bpf, userfaultfd,
///   io_uring, perf).
/// System calls of another architecture fail with ENOSYS. All else is allowed: this is not a list
/// of what OpenVPN needs. Sets no_new_privs. Throws Error; then nothing is refused.
void refuse_calls();

}  // namespace vpnrun::service
