// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/challenge.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/base/secret.h"
#include "profiles/openvpn_inline.h"
#include "systemd/service/client/openvpn/management.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr unsigned kEcho = 1;
constexpr unsigned kConcatenate = 2;  // OpenVPN 2.7

Secret base64(std::string_view text) {
  std::string encoded = profile::base64_content(text);
  std::erase(encoded, '\n');
  return Secret::take(std::move(encoded));
}

/// nullopt: it is not base64. The padding may be left out.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  std::string decoded;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char character : text) {
    const auto digit = kDigits.find(character);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += static_cast<char>((bits >> count) & 0xFFU);
    }
  }
  return decoded;
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7F;
  });
}

/// Removes and returns what precedes the next colon, and removes the colon. nullopt: there is none.
std::optional<std::string_view> next_field(std::string_view& text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view field = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  return field;
}

}  // namespace

Challenge static_challenge(std::string_view text) {
  Challenge challenge;
  challenge.kind = Challenge::Kind::kStatic;
  const auto comma = text.find(',');
  unsigned flags = 0;
  (void)std::from_chars(text.data(), text.data() + std::min(comma, text.size()), flags);
  challenge.echo = (flags & kEcho) != 0;
  challenge.concatenated = (flags & kConcatenate) != 0;
  challenge.text = comma == std::string_view::npos ? text : text.substr(comma + 1);
  return challenge;
}

std::optional<Challenge> dynamic_challenge(std::string_view reason) {
  constexpr std::string_view kPrefix = "CRV1:";
  if (!reason.starts_with(kPrefix)) {
    return std::nullopt;
  }
  reason.remove_prefix(kPrefix.size());
  const auto flags = next_field(reason);
  const auto state_id = flags ? next_field(reason) : std::nullopt;
  const auto encoded = state_id ? next_field(reason) : std::nullopt;
  const auto user_name = encoded ? from_base64(*encoded) : std::nullopt;
  if (!user_name || user_name->empty() || !is_plain(*user_name) || !is_plain(*state_id)) {
    return std::nullopt;
  }
  Challenge challenge;
  challenge.kind = Challenge::Kind::kDynamic;
  challenge.echo = flags->find('E') != std::string_view::npos;
  challenge.wants_response = flags->find('R') != std::string_view::npos;
  challenge.state_id = *state_id;
  challenge.user_name = *user_name;
  challenge.text = reason;  // it may contain colons
  return challenge;
}

Secret password_for(const Challenge& challenge, std::string_view password,
                    std::string_view response) {
  Secret result;
  if (2 * kArgumentMax < password.size() + response.size() + challenge.state_id.size()) {
    throw Error("a password or one-time password is longer than OpenVPN takes");
  }
  switch (challenge.kind) {
    case Challenge::Kind::kNone:
      return Secret(password);
    case Challenge::Kind::kDynamic:
      result.append("CRV1::").append(challenge.state_id).append("::").append(response);
      break;
    case Challenge::Kind::kStatic:
      if (challenge.concatenated) {
        result.append(password).append(response);
        break;
      }
      result.append("SCRV1:").append(base64(password).view());
      result.append(":").append(base64(response).view());
      break;
  }
  if (result.size() > kArgumentMax) {
    throw Error("password and one-time password together are longer than OpenVPN takes");
  }
  return result;
}

}  // namespace vpnrun::service::openvpn
