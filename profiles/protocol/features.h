// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/protocol/control_message.h"

/// What a companion can be asked for, by name: what `Status::features` lists. A name stands for the
/// members and commands of a request that come with it (vpnrun-control(7) has the table), is never
/// given another meaning, and is left out by a companion that has lost what it stood for.
namespace vpnrun::feature {

constexpr std::string_view kAnswer = "answer";    ///< the command: questions in a status
constexpr std::string_view kAsks = "asks";        ///< the member
constexpr std::string_view kFollow = "follow";    ///< the member
constexpr std::string_view kInbound = "inbound";  ///< the command, with its members add and remove
constexpr std::string_view kLog = "log";          ///< the command, and its member `after`
constexpr std::string_view kRestart = "restart";  ///< the command
constexpr std::string_view kOneTimePasswords = "one-time-passwords";  ///< the member `response`

/// Of a companion of this version.
[[nodiscard]] std::vector<std::string> own();

/// Of 0.1.0, which lists none: what a companion without a list can do.
[[nodiscard]] std::vector<std::string> first();

/// The first feature that `request` takes and `features` lacks; nullopt if it lacks none.
[[nodiscard]] std::optional<std::string_view> missing(const ControlRequest& request,
                                                      const std::vector<std::string>& features);

}  // namespace vpnrun::feature
