// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "profiles/profile.h"
#include "profiles/protocol/status.h"

namespace vpnrun {

/// The control socket `kRuntimeRoot/NAME/control`: a Unix stream socket on which each message is
/// one line of JSON. The client sends requests, the companion answers each with one reply, and,
/// after a request with `follow`, with one more reply at every change of state until the client
/// closes. vpnrun-control(7) describes it for people, control.schema.json for programs.
///
///   > {"command":"hello"}
///   > {"command":"up","follow":true}
///   < {"ok":true,"status":{"profile":"work","state":"down",…,"features":["follow",…]}}
///   < {"ok":true,"status":{"profile":"work","state":"starting",…}}
///   < {"ok":true,"status":{"profile":"work","state":"up",…}}
///
/// How it grows. Companions outlive upgrades, so each end meets older and newer ones.
///  - What a companion says may have members, states and questions that came after the reader: it
///    does not look at them. 0.1.0 did look, and refuses all of a reply with a member that it does
///    not know. So whoever has not said `hello` gets the members of 0.1.0 and nothing else.
///  - A request is refused if it has anything that the companion does not know: an order must not
///    be carried out by half. The refusal names it.
///  - `hello` tells both about each other: the client reads whatever may come, and the
///    companion lists what it can be asked for. 0.1.0 refuses it, with a text that is fixed
///    forever, and loses nothing by that. A client sends it in one write with its first request, so
///    that it costs no round trip with either version; only a client that wants more than 0.1.0 had
///    waits for the answer.
///
/// Longest line that the companion accepts, in bytes, line end included. More closes the
/// connection.
constexpr std::size_t kControlLineMax = 4096;

/// Beside it a datagram socket that a companion holds as long as it runs. It carries no data:
/// connect(2) succeeds, or is refused (ECONNREFUSED) once the companion is gone, and starts
/// nothing.
constexpr const char* kAliveEntry = "alive";

/// Where systemd's password agents look for questions; absent on a machine without them.
constexpr const char* kPasswordAgents = "/run/systemd/ask-password";

enum class Command : std::uint8_t {
  kStatus,
  kUp,
  kDown,
  kRestart,
  kAnswer,
  kHello,
  kInbound,
  kLog
};

/// Who reads a reply.
enum class Audience : std::uint8_t {
  kStrict,    ///< perhaps 0.1.0: nothing that it did not know
  kTolerant,  ///< has said `hello`
};

struct ControlRequest {
  Command command = Command::kStatus;
  bool follow = false;
  /// With `follow`: there is a person at this end who can be asked. Without such a client the
  /// companion turns to the machine's password agents (kPasswordAgents).
  bool asks = false;
  // kAnswer only:
  std::uint64_t question_id = 0;
  Secret user_name;
  Secret password;
  Secret response;  ///< to CredentialQuestion::challenge
  // kInbound only: ports that are to be open from the tunnel, and to be so no longer.
  std::vector<profile::Port> add{};
  std::vector<profile::Port> remove{};
  /// kLog only: lines with greater numbers. With `follow` more replies come as lines do, in place
  /// of those at a change of state.
  std::uint64_t after = 0;
};

/// One line of a companion's log. Never a secret, and no control characters.
struct LogLine {
  std::uint64_t number = 0;  ///< from 1 on; what is missing in between is no longer kept
  std::int64_t time = 0;     ///< seconds since the epoch
  std::string level{};       ///< "info", "warning", "error"
  std::string text{};
  friend bool operator==(const LogLine&, const LogLine&) = default;
};

/// Whether only root may order that: it changes what the profile, a file of root's, says.
[[nodiscard]] bool is_for_root(const ControlRequest& request) noexcept;

struct ControlReply {
  bool ok = true;
  std::string error;  ///< when not ok: one line
  std::string hint;
  std::string unknown{};  ///< the member or command that made the companion refuse the request
  Status status;
  /// To kLog: the next lines, as many as fit; none is the end of what there is.
  std::optional<std::vector<LogLine>> log{};
};

/// A request with a member or a command that this version does not know.
class UnknownInRequest : public Error {
 public:
  UnknownInRequest(std::string message, std::string name, std::string hint = {})
      : Error(std::move(message), {}, std::move(hint)), name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

/// One line of JSON, line end included.
[[nodiscard]] std::string encode(const ControlRequest& request);
[[nodiscard]] std::string encode(const ControlReply& reply, Audience audience);
/// Throws Error on malformed JSON and wrong types, UnknownInRequest on what it does not know.
/// `line` has no line end.
[[nodiscard]] ControlRequest parse_request(std::string_view line);
/// Throws Error on malformed JSON, and on a member that is known and of a wrong type. What is not
/// known is not looked at. `unknown` is there for a refusal of 0.1.0 as well.
[[nodiscard]] ControlReply parse_reply(std::string_view line);

}  // namespace vpnrun
