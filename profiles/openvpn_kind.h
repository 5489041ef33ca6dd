// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "profiles/base/error.h"

// What is put in the place of an OpenVPN configuration by mistake. Private to openvpn_config.cc.
namespace vpnrun::profile {

/// What `text` is if it is surely no OpenVPN configuration, and what to do: a web page, text in
/// UTF-16, an archive, JSON, a key, the file of another program. nullopt: it may be one.
[[nodiscard]] std::optional<Error> other_kind(std::string_view text);

}  // namespace vpnrun::profile
