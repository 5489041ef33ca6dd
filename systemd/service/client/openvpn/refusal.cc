// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/refusal.h"

#include <algorithm>
#include <charconv>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/reasons.h"

namespace vpnrun::service::openvpn {
namespace {

constexpr std::string_view kTemporary = "TEMP";
constexpr const char* kLoginFile =
    "check the file that [tunnel] credentials names: user name in line 1, password in line 2";
constexpr const char* kNoLogin =
    "the provider knows why: the server may be full, or no longer admit this certificate";

void read_flag(std::string_view flag, Refusal& refusal) {
  constexpr std::string_view kBackoff = "backoff ";
  if (flag.starts_with(kBackoff)) {
    flag.remove_prefix(kBackoff.size());
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(flag.data(), flag.data() + flag.size(), seconds);
    if (error == std::errc() && end == flag.data() + flag.size()) {
      refusal.backoff = std::min(std::chrono::seconds(seconds), kBackoffMax);
    }
  } else if (flag == "advance no") {
    refusal.advance = Refusal::Advance::kStay;
  } else if (flag == "advance addr" || flag == "advance remote") {
    refusal.advance = Refusal::Advance::kNext;
  }
}

/// "[backoff 42,advance no]:words"
std::string_view read_flags(std::string_view text, Refusal& refusal) {
  const auto close = text.find(']');
  if (text.starts_with('[') && close != std::string_view::npos) {
    std::string_view flags = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    while (!flags.empty()) {
      const auto comma = std::min(flags.find(','), flags.size());
      read_flag(flags.substr(0, comma), refusal);
      flags.remove_prefix(std::min(comma + 1, flags.size()));
    }
  }
  return text.starts_with(':') ? text.substr(1) : std::string_view();
}

std::string shown(std::string_view words) {
  const auto begin = std::min(words.find_first_not_of(' '), words.size());
  words.remove_prefix(begin);
  std::size_t end = std::min(words.size(), kWordsMax);
  while (end < words.size() && end > 0 &&
         (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) {
    --end;  // not within a character
  }
  return printable(words.substr(0, end));
}

}  // namespace

Refusal read_refusal(std::string_view reason) {
  Refusal refusal;
  if (reason.starts_with(kTemporary)) {
    refusal.is_temporary = true;
    reason = read_flags(reason.substr(kTemporary.size()), refusal);
  }
  refusal.words = shown(reason);
  return refusal;
}

Failure failure_of(const Refusal& refusal, bool has_login) {
  Failure failure{Failure::Kind::kOutside, "the server refuses this client",
                  has_login ? "" : kNoLogin};
  const auto known = explain_refusal(refusal.words);
  if (refusal.is_temporary) {
    failure = explain_state("auth-temp-failure", "");
  } else if (refusal.words.empty() && has_login) {
    failure = {Failure::Kind::kCredentials, "the server refuses the user name or password",
               kLoginFile};
  } else if (known && (has_login || is_passing(*known))) {
    failure = *known;
    if (failure.kind == Failure::Kind::kCredentials) {
      failure.hint = kLoginFile;
    } else if (failure.hint.empty() && !has_login) {
      failure.hint = kNoLogin;
    }
  }
  if (!refusal.words.empty()) {
    failure.error += ": " + refusal.words;
  }
  failure.retry_after = refusal.backoff;
  return failure;
}

}  // namespace vpnrun::service::openvpn
