// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"

namespace vpnrun {

/// Loads the application's filter into this process; it is inherited by everything that it starts.
/// The program and the reason of each of its rules are in filter/main.cc, which makes it with
/// libseccomp while vpnrun is built: generating it at each start would cost as much as all else.
/// It does not need no_new_privs, so setuid programs (sudo, ping) work for the application unless
/// the profile forbids it (forbid_new_privileges). There are two: `origin`, root's record, alone
/// says which (Origin::i386).
///
/// Should: run before the drop; without no_new_privs it needs CAP_SYS_ADMIN. See seccomp(2).
/// Must not: be skipped; dies if the kernel does not take it.
void load_application_filter(const Origin& origin) noexcept;

}  // namespace vpnrun
