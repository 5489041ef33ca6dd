// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "profiles/protocol/status.h"

namespace vpnrun {

/// The control socket `kRuntimeRoot/NAME/control`: a Unix stream socket on which each message is
/// one line of JSON. The client sends requests, the companion answers each with one reply, and,
/// after a request with `follow`, with one more reply at every change of state until the client
/// closes.
///
///   > {"command":"up","follow":true}
///   < {"ok":true,"status":{"profile":"work","state":"starting",…}}
///   < {"ok":true,"status":{"profile":"work","state":"up",…}}
///
/// Longest line that the companion accepts, in bytes, line end included. More closes the
/// connection.
constexpr std::size_t kControlLineMax = 4096;

/// Beside it a datagram socket that a companion holds as long as it runs. Nothing is said by it:
/// connect(2) succeeds, or is refused (ECONNREFUSED) once the companion is gone, and starts nobody.
constexpr const char* kAliveEntry = "alive";

/// Where systemd's password agents look for questions; absent on a machine without them.
constexpr const char* kPasswordAgents = "/run/systemd/ask-password";

enum class Command : std::uint8_t { kStatus, kUp, kDown, kRestart, kAnswer };

struct Request {
  Command command = Command::kStatus;
  bool follow = false;
  /// With `follow`: there is a person at this end who can be asked. Without such a client the
  /// companion turns to the machine's password agents (kPasswordAgents).
  bool asks = false;
  // kAnswer only:
  std::uint64_t question_id = 0;
  std::string user_name;
  std::string password;
  std::string response;  ///< to CredentialQuestion::challenge
};

struct Reply {
  bool ok = true;
  std::string error;  ///< when not ok: one line
  std::string hint;
  Status status;
};

/// One line of JSON, line end included.
[[nodiscard]] std::string encode(const Request& request);
[[nodiscard]] std::string encode(const Reply& reply);
/// Throw Error on malformed JSON, unknown members or commands, wrong types. `line` has no line end.
[[nodiscard]] Request parse_request(std::string_view line);
[[nodiscard]] Reply parse_reply(std::string_view line);

}  // namespace vpnrun
