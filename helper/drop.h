// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include "helper/base/runtime_layout.h"

namespace vpnrun {

/// Whom the helper works for: the real ids of the process. Supplementary groups are the caller's
/// from the beginning and are never touched.
struct Caller {
  uid_t uid;
  gid_t gid;
  [[nodiscard]] bool is_root() const noexcept { return uid == 0; }
};

/// Gives all ids back for good at the very beginning: real, effective and saved uid and gid become
/// the caller's. What remains of the privilege are kJoinCapabilities in the permitted set, with an
/// empty effective set, so that every file is opened with the caller's rights and none of ours.
/// Reads everything back and dies on any difference.
///
/// A setuid install and an install with capabilities are the same from here on. Root as the caller
/// keeps what it has: there is nothing to hand back.
///
/// Should: groups before gid before uid; end not dumpable, because a change of ids resets that.
/// Must not: leave a saved id to return to.
[[nodiscard]] Caller become_caller() noexcept;

/// Makes kJoinCapabilities effective. Only the two joins and the filter follow.
void raise_capabilities(const Caller& caller) noexcept;

/// Gives up every capability (effective, permitted, inheritable, ambient), then verifies by reading
/// back that the ids are the caller's, all sets are empty, and setuid(0) fails. Dies otherwise.
/// For root as the caller only the ids are verified.
void drop_privileges(const Caller& caller) noexcept;

/// Sets no_new_privs if the profile wants it: no setuid program and no file capability gives the
/// application, root's as well, anything from here on. Reads it back and dies if it is not set.
///
/// Should: run after the drop; it needs no privilege, and so is not one of the privileged calls.
/// Must not: be skipped for a record that asks for it.
void forbid_new_privileges(const Origin& origin) noexcept;

}  // namespace vpnrun
