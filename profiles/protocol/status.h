// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/exceptions.h"
#include "profiles/protocol/left_out.h"

namespace vpnrun {

/// What a tunnel does. Applications can be started in every state; they reach something in kUp
/// only.
enum class State : std::uint8_t {
  kDown,          ///< ordered to be down: sealed and offline until `up`
  kStarting,      ///< on its way to the first connection since `up`
  kUp,            ///< default route in place
  kReconnecting,  ///< was up, lost the server, tries again by itself
  kFailed,        ///< gave up, or will try again only much later; `error` says why
  kUnknown,       ///< a reader's only: a word that came after this version (Status::state_word)
};

[[nodiscard]] std::string_view to_string(State state) noexcept;

/// A question that only a person can answer; asked once the client needs it.
struct CredentialQuestion {
  std::uint64_t id = 0;  ///< to be repeated in the answer
  std::string text{};    ///< what to show ("user name and password for 'work'")
  bool wants_user_name = false;
  bool wants_password = true;
  /// A one-time password, or whatever else `challenge` asks for: each time anew.
  bool wants_response = false;
  std::string challenge{};  ///< the prompt for it, in the words of the server or the configuration
  bool echo = false;        ///< what is typed as the response may be seen

  /// Whether it asks for anything that this version can answer. One of a kind that came later has
  /// all three `wants_…` false, and is not to be answered with nothing.
  [[nodiscard]] bool can_be_answered() const noexcept {
    return wants_user_name || wants_password || wants_response;
  }
};

/// Everything that `vpnrunctl status` shows; also the content of state.json and of each line that
/// the control socket sends. No secret is ever in it.
struct Status {
  std::string profile;
  State state = State::kDown;
  std::string state_word{};            ///< with kUnknown: the state as it was written
  std::int64_t since = 0;              ///< seconds since the epoch of the last change of state
  std::int64_t pid = 0;                ///< of the companion
  std::string tunnel_type;             ///< "openvpn"
  std::string device;                  ///< tunnel device inside; empty if none
  std::vector<std::string> addresses;  ///< of the tunnel device, with prefix length
  std::vector<std::string> dns;        ///< resolvers that applications use
  std::string endpoint;                ///< "198.51.100.10:1194/udp"; empty if none
  std::string endpoint_name;           ///< as written in the configuration
  std::uint32_t mtu = 0;               ///< bytes; 0 if no device
  std::string error;                   ///< why it is not up; one line
  std::string hint;                    ///< what to do about it; one line
  std::uint32_t attempt = 0;           ///< connection attempts since it was last up
  std::vector<PromiseException> exceptions{};  ///< that the profile makes, whatever the state
  std::optional<CredentialQuestion> question;
  std::vector<LeftOut> left_out{};  ///< of the configuration, whatever the state
  /// Where a person has to log in with a browser before it goes on; http or https, and printable.
  /// Empty: nowhere.
  std::string login_url{};
  /// What the profile asks for and does not get, with its place; a line each.
  std::vector<std::string> warnings{};

  // Of the companion that sends it, and so not in state.json, which outlives one:
  std::vector<std::string> inbound{};  ///< ports that are open from the tunnel, as in a profile
  std::string version{};               ///< of its program; empty if it does not say
  /// What it can be asked for (features.h); nullopt from one that does not say.
  std::optional<std::vector<std::string>> features;
};

/// The state in the word that was written, known or not. Show it with printable().
[[nodiscard]] std::string_view state_word(const Status& status) noexcept;

/// The same as the rest of a sentence: "is up", "has failed". Show it with printable().
[[nodiscard]] std::string state_phrase(const Status& status);

/// One line of JSON without a line end.
[[nodiscard]] std::string to_json(const Status& status);
/// Indented, for state.json and `--json`.
[[nodiscard]] std::string to_pretty_json(const Status& status);
/// Reads what a companion of any version wrote: a member that is not known is not looked at,
/// missing ones keep their defaults, a state that is not known is kUnknown. Throws Error on
/// malformed JSON and on a known member of a wrong type or range.
[[nodiscard]] Status status_from_json(std::string_view text);

}  // namespace vpnrun
