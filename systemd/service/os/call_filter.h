// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// From now on the calling thread, and what it starts or becomes, is refused with EPERM
/// (seccomp(2)) what OpenVPN never asks for but could use once its server has taken it over:
/// - namespaces of its own, where it has rights: unshare, setns, clone with CLONE_NEW*, mounts;
///   clone3, whose flags a filter cannot see, is not there (ENOSYS; libc falls back to clone);
/// - to outlive the companion: prctl(PR_SET_PDEATHSIG);
/// - to be taken for somebody's server: listen, accept;
/// - memory that no limit counts: files in memory, shared memory and messages of SysV and POSIX;
/// - sockets but AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK;
/// - other processes, keys, and parts of the kernel that often had faults (bpf, userfaultfd,
///   io_uring, perf).
/// System calls of another instruction set are not there (ENOSYS). All else is allowed: this is not
/// a list of what OpenVPN needs. Sets no_new_privs. Throws Error; then nothing is refused.
void refuse_calls();

}  // namespace vpnrun::service
