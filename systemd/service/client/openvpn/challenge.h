// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "profiles/base/secret.h"

namespace vpnrun::service::openvpn {

/// What is wanted besides user name and password, mostly a one-time password. The
/// challenge/response protocol of OpenVPN's management-notes.txt.
struct Challenge {
  enum class Kind : std::uint8_t {
    kNone,
    kStatic,   ///< known from the configuration: answered together with the password
    kDynamic,  ///< follows a correct password as a refusal: answered in place of the next password
  };
  Kind kind = Kind::kNone;
  std::string text;            ///< the question, as the server or the configuration has it
  bool echo = false;           ///< the response may be seen while it is typed
  bool wants_response = true;  ///< false (dynamic): the text is only to be read
  bool concatenated = false;   ///< static: the response follows the password without a separator
  std::string state_id;        ///< dynamic: to be returned to the server
  std::string user_name;       ///< dynamic: the one to answer with
};

/// Parses the "1,Your PIN" of ">PASSWORD:Need 'Auth' username/password SC:1,Your PIN". Unreadable
/// flags count as 0.
[[nodiscard]] Challenge static_challenge(std::string_view text);

/// Parses a server's refusal such as "CRV1:R,E:state:dXNlcg==:Your PIN". nullopt: it is not a
/// challenge, or has a user name that could not be sent back.
[[nodiscard]] std::optional<Challenge> dynamic_challenge(std::string_view reason);

/// The password to send: `password` and `response` put together as the challenge wants them. Throws
/// Error if that is longer than OpenVPN takes.
[[nodiscard]] Secret password_for(const Challenge& challenge, std::string_view password,
                                  std::string_view response);

}  // namespace vpnrun::service::openvpn
