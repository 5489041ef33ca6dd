// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/capability.h>

#include <cstdint>

namespace vpnrun {

/// The capability sets of this thread as bit masks, 1 << CAP_*. See capabilities(7).
struct Capabilities {
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// All that the two setns(2) calls and the filter need: CAP_SYS_ADMIN and CAP_SYS_CHROOT.
constexpr std::uint64_t kJoinCapabilities =
    std::uint64_t{1} << CAP_SYS_ADMIN | std::uint64_t{1} << CAP_SYS_CHROOT;

/// capget(2) and capset(2) of the calling thread. Die on failure.
[[nodiscard]] Capabilities read_capabilities() noexcept;
void write_capabilities(const Capabilities& wanted) noexcept;

/// Checks that the kernel granted exactly what one of the two installs gives: everything to a
/// setuid-root file, or kJoinCapabilities and nothing else to a file with capabilities. Dies
/// otherwise and says which of the known reasons it is: no_new_privs, nosuid, the wrong owner,
/// no privilege on the file, a mix of the two installs.
///
/// Should: decide by what this process holds, not by what the file's mode promises.
/// Must not: change anything.
void check_privilege() noexcept;

}  // namespace vpnrun
