// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"

namespace vpnrun {

/// Opens the directory `name` (one component) below `dir_fd` without following a symbolic link,
/// close-on-exec. Invalid with errno on failure. See openat2(2), RESOLVE_BENEATH.
[[nodiscard]] UniqueFd open_directory_at(int dir_fd, const char* name) noexcept;

/// Opens the namespace file `name` (one component) below `dir_fd` without following a symbolic
/// link, and checks on the descriptor that it is an nsfs file of namespace type `ns_type` (a
/// CLONE_NEW* constant). Invalid with errno on failure; EINVAL: not nsfs, or another type.
/// See ioctl_ns(2).
[[nodiscard]] UniqueFd open_namespace_at(int dir_fd, const char* name, int ns_type) noexcept;

/// What fstat(2) reports of `fd`. False with errno on failure.
[[nodiscard]] bool file_id(int fd, FileId& out) noexcept;

}  // namespace vpnrun
