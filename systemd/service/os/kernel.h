// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun::service {

/// Throws Error, which names the version that is needed, unless the kernel has the newest of the
/// system calls that make namespaces, view and client: mount_setattr(2), of Linux 5.12. The others
/// are older (close_range(2) with its flag 5.11, statx(2)'s mount id 5.8, openat2(2) 5.6, pidfds
/// 5.4, move_mount(2) 5.2). The call itself is tried, because the version numbers of distributions
/// say less. It has no effect.
void require_kernel();

}  // namespace vpnrun::service
