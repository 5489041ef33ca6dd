// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_words.h"

#include <algorithm>
#include <array>

#include "profiles/base/error.h"
#include "profiles/openvpn_directives.h"

namespace vpnrun::profile {
namespace {

bool is_word_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string::npos;
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace

bool can_be_shown(const std::string& word) {
  constexpr std::size_t kLongestDirective = 40;
  constexpr std::size_t kLongestHex = 12;  // static keys are such digits, others have capitals
  if (find_directive(lower(word)) != nullptr) {
    return true;
  }
  const bool is_hex =
      word.size() > kLongestHex && word.find_first_not_of("0123456789abcdef") == std::string::npos;
  return word.size() <= kLongestDirective && is_word_of(word, "-_") && !is_hex;
}

const Directive* meant_directive(const std::string& word) {
  const Directive* known = find_directive(word);
  if (known != nullptr || word.empty()) {
    return known;
  }
  const std::string_view nearest = nearest_directive(lower(word));
  return nearest.empty() ? nullptr : find_directive(nearest);
}

std::string did_you_mean(const std::string& word, std::string_view before, std::string_view after) {
  const std::string_view nearest = nearest_directive(lower(word));
  return nearest.empty() ? std::string()
                         : formatted("; did you mean {}{}{}?", before, nearest, after);
}

std::string_view name_of_tag(std::string_view word) {
  if (word.size() < 3 || word.front() != '<' || word.back() != '>') {
    return {};
  }
  word = word.substr(1, word.size() - 2);
  word.remove_prefix(word.starts_with('/') ? 1 : 0);
  return word;
}

bool is_resolver_script(std::string_view command) {
  constexpr std::array<std::string_view, 13> kKnown = {"update-resolv-conf",
                                                       "update-resolv-conf.sh",
                                                       "openvpn-update-resolv-conf",
                                                       "update-resolv-conf.pl",
                                                       "update-systemd-resolved",
                                                       "update-systemd-resolved.sh",
                                                       "client.up",
                                                       "client.down",
                                                       "resolvconf",
                                                       "dns-updown",
                                                       "true",
                                                       "nm-openvpn-service-openvpn-helper",
                                                       "update-resolv.sh"};
  std::string_view program = command.substr(0, command.find_first_of(" \t"));
  program =
      program.substr(program.rfind('/') == std::string_view::npos ? 0 : program.rfind('/') + 1);
  return std::find(kKnown.begin(), kKnown.end(), program) != kKnown.end();
}

int number_of(std::string_view text) {
  constexpr int kEnough = 1'000'000;
  const std::size_t first = std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size());
  text.remove_prefix(first);
  text.remove_prefix(text.starts_with('+') ? 1 : 0);
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      break;
    }
    value = std::min(10 * value + (c - '0'), kEnough);
  }
  return value;
}

bool is_harmless_variable(std::string_view name) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (!is_word_of(name, kCharacters)) {
    return false;
  }
  return name.starts_with("UV_") || name.starts_with("IV_") || name == "FORWARD_COMPATIBLE" ||
         name == "CLIENT_CERT";
}

}  // namespace vpnrun::profile
