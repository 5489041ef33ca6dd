// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "systemd/service/client/failure.h"

namespace vpnrun::service::openvpn {

/// What follows AUTH_FAILED, as management-notes.txt has it: nothing, words, or from OpenVPN 2.6 on
/// "TEMP[backoff 42,advance no]:words".
struct Refusal {
  /// Which server the next attempt is to be made with.
  enum class Advance : std::uint8_t { kUnsaid, kStay, kNext };

  std::string words;  ///< to be shown: printable and short; empty: the server says nothing
  bool is_temporary = false;
  std::chrono::seconds backoff{0};  ///< what the server asks to wait; at most kBackoffMax
  Advance advance = Advance::kUnsaid;
};

/// A server that asks for more is tried again by then all the same.
constexpr std::chrono::seconds kBackoffMax{600};

[[nodiscard]] Refusal read_refusal(std::string_view reason);

/// What it means if a user name and a password were sent, or (`has_login` false) there are none.
/// Final (kCredentials) is only what a person has to change: a refusal without words of what was
/// sent, or one that speaks of it. Whatever else a server has to say may pass: a limit,
/// maintenance, an account that has not been paid for.
[[nodiscard]] Failure failure_of(const Refusal& refusal, bool has_login);

}  // namespace vpnrun::service::openvpn
