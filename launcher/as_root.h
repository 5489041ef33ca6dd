// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

namespace vpnrun {

/// Whether one of `groups` is a group of those who may become root by sudo(8) on most machines
/// (sudo, wheel, admin), by `text`, the content of /etc/group. No name service is asked.
[[nodiscard]] bool is_administrator(std::string_view text, std::span<const gid_t> groups);

/// `command`, for a hint: after "sudo " if the caller is an administrator at a terminal, and after
/// "as root: " otherwise. Several commands have "; " between them.
[[nodiscard]] std::string as_root(const std::string& command);

}  // namespace vpnrun
