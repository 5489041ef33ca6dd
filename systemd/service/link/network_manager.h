// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vpnrun::service {

/// What NetworkManager has found out about the machine's way out: NMConnectivityState of its D-Bus
/// interface.
enum class Connectivity : std::uint8_t { kUnknown, kNone, kPortal, kLimited, kFull };

/// Asks the bus that listens at `socket` what NetworkManager last found, and has it find out
/// nothing: no packet is sent, no service started. nullopt: there is no bus or no NetworkManager,
/// or no answer within `patience`, for which it blocks at most. Takes no more than a few kilobytes
/// of an answer.
[[nodiscard]] std::optional<Connectivity> nm_connectivity(
    const std::string& socket = "/run/dbus/system_bus_socket",
    std::chrono::milliseconds patience = std::chrono::milliseconds(200)) noexcept;

// The messages themselves, in the format of the D-Bus specification; pure.

/// What is sent once the bus has said who we are: Hello, and the question.
[[nodiscard]] std::vector<unsigned char> nm_question();

struct DbusAnswer {
  std::size_t size = 0;  ///< of the message at the beginning; 0: there is more to come
  /// Of the answer to the question; nullopt in any other message, and in a refusal.
  std::optional<Connectivity> connectivity;
  bool is_last = false;  ///< it answers or refuses the question
};
/// Reads the message at the beginning of `bytes`. Throws Error if it is malformed or larger than
/// anything that is expected.
[[nodiscard]] DbusAnswer read_nm_answer(std::span<const unsigned char> bytes);

}  // namespace vpnrun::service
