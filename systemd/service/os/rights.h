// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

namespace vpnrun::service {

/// To be called in a child: keeps only these capabilities (CAP_* of capabilities(7)) and no way to
/// gain another, not even by execve(2) (PR_SET_NO_NEW_PRIVS). One that it does not have is not
/// added. Throws Error.
void keep_capabilities(const std::vector<int>& capabilities);

/// To be called in a child that does not go on to execve(2): closes every descriptor but 0 to 2 and
/// these. Those that are not open (-1) are skipped. Throws Error.
void close_all_but(const std::vector<int>& descriptors);

}  // namespace vpnrun::service
