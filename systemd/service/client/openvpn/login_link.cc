// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/login_link.h"

#include <algorithm>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/reasons.h"
#include "systemd/service/client/shown_url.h"

namespace vpnrun::service::openvpn {
namespace {

/// Removes `prefix`; false: `text` begins with something else.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

/// What precedes the next colon, which is taken away as well; all of it if there is none.
std::string_view take_field(std::string_view& text) {
  const auto colon = std::min(text.find(':'), text.size());
  const std::string_view field = text.substr(0, colon);
  text.remove_prefix(std::min(colon + 1, text.size()));
  return field;
}

}  // namespace

std::optional<std::string> checked_url(std::string_view text) {
  return shown_url(text, kUrlMax);
}

std::optional<PendingLogin> pending_login(std::string_view message) {
  PendingLogin login;
  if (take(message, "CR_TEXT:")) {
    const std::string_view flags = take_field(message);
    login.wants_response = flags.find('R') != std::string_view::npos;
    login.echo = flags.find('E') != std::string_view::npos;
    login.text = printable(message.substr(0, kWordsMax));
    return login;
  }
  login.is_link = take(message, "OPEN_URL:");
  if (!login.is_link && take(message, "WEB_AUTH:")) {
    (void)take_field(message);  // how a program of its own would show the page
    login.is_link = true;
  }
  if (!login.is_link) {
    return std::nullopt;
  }
  login.url = checked_url(message).value_or("");
  return login;
}

}  // namespace vpnrun::service::openvpn
