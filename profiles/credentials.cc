// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <optional>

#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::profile {
namespace {

constexpr const char* kLoginHint =
    "a credentials file has the user name in its first line and the password in its second";

/// Goes to the client in a protocol of lines. Other encodings than UTF-8 are the user's business.
bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

Secret read_line(LineReader& lines, std::string_view what, const std::string& path) {
  const std::optional<std::string_view> line = lines.next();
  const std::size_t number = line ? lines.number() : lines.number() + 1;
  if (!line || line->empty()) {
    throw Error(formatted("{}:{}: the {} is missing", printable(path), number, what), {},
                kLoginHint);
  }
  if (has_control_character(*line)) {
    throw Error(formatted("{}:{}: the {} has a control character", printable(path), number, what));
  }
  return Secret(*line);
}

}  // namespace

Credentials parse_credentials(std::string_view text, const std::string& path) {
  // Whatever its first lines are, a key that is named by mistake must not go to a server.
  if (text.find("-----BEGIN ") != std::string_view::npos) {
    throw Error(formatted("{}: it has a key or a certificate in it", printable(path)), {},
                kLoginHint);
  }
  LineReader lines(text);
  Credentials credentials;
  credentials.user_name = read_line(lines, "user name", path);
  credentials.password = read_line(lines, "password", path);
  return credentials;
}

Credentials parse_login_file(std::string_view text, const std::string& path) {
  Credentials credentials = parse_credentials(text, path);
  LineReader lines(text);
  while (const std::optional<std::string_view> line = lines.next()) {
    if (lines.number() > 2 && line->find_first_not_of(" \t") != std::string_view::npos) {
      throw Error(
          formatted("{}:{}: more than two lines", printable(path), lines.number()), {},
          "a file that the configuration names has user name and password and nothing else");
    }
  }
  return credentials;
}

}  // namespace vpnrun::profile
