// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vpnrun::service::openvpn {

/// What a server wants of a person besides user name and password, while it keeps the connection
/// waiting (AUTH_PENDING): the messages of management-notes.txt, "client-pending-auth".
struct PendingLogin {
  std::string url;   ///< to be opened in a browser, by the person alone; empty: none, or not usable
  std::string text;  ///< to be read; printable and short
  bool is_link = false;         ///< the server sent a link, whether usable or not
  bool wants_response = false;  ///< the answer to `text` goes back to the server
  bool echo = false;            ///< it may be seen while it is typed
};

/// The longest link that is shown, in bytes.
constexpr std::size_t kUrlMax = 1024;

/// "WEB_AUTH:flags:url", "OPEN_URL:url", "CR_TEXT:flags:text"; nullopt: something else.
[[nodiscard]] std::optional<PendingLogin> pending_login(std::string_view message);

/// shown_url(), of at most kUrlMax bytes.
[[nodiscard]] std::optional<std::string> checked_url(std::string_view text);

}  // namespace vpnrun::service::openvpn
