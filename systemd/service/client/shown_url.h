// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vpnrun::service {

/// `text`, a stranger's, if it is a link of http or https that may be shown: characters of RFC 3986
/// only, a host, no user name in front of it (that makes one host look like another). People copy
/// it, also into a shell: what a shell takes for its own is written as a number (%24 for $).
/// nullopt: it is none, or longer than `most` bytes. Pure.
[[nodiscard]] std::optional<std::string> shown_url(std::string_view text, std::size_t most);

}  // namespace vpnrun::service
