// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/completion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::service::openvpn {
namespace {

using Words = std::vector<std::string>;

/// Those that OpenVPN 2.6 offers by itself.
constexpr std::array<std::string_view, 3> kOffered = {"AES-256-GCM", "AES-128-GCM",
                                                      "CHACHA20-POLY1305"};

/// Of a cipher, in capitals.
constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

unsigned number(const Words& words, std::size_t index) {
  unsigned value = 0;
  if (index < words.size()) {
    const std::string& word = words[index];
    (void)std::from_chars(word.data(), word.data() + word.size(), value);
  }
  return value;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

/// Reads the lines of a configuration one by one.
class Completion {
 public:
  Completed run(std::string_view config) {
    while (!config.empty()) {
      const auto end = std::min(config.find('\n'), config.size());
      const std::string_view line = config.substr(0, end);
      config.remove_prefix(std::min(end + 1, config.size()));
      if (is_kept(line)) {
        result_.text.append(line).append("\n");
      }
    }
    add_ciphers();
    add_liveness();
    if (pulls_ && !says_sso_) {
      result_.after += "setenv IV_SSO webauth,openurl,crtext\n";
    }
    result_.after += "verb 3\nmute 0\n";
    return std::move(result_);
  }

 private:
  bool is_kept(std::string_view line) {
    if (!block_end_.empty()) {
      if (line == block_end_) {
        block_end_.clear();
      }
      return true;
    }
    if (line.starts_with('<') && line.ends_with('>')) {
      block_end_ = "</" + std::string(line.substr(1));
      return true;
    }
    const bool is_optional = line.starts_with(profile::kOptional);
    return directive(
        profile::split_words(is_optional ? line.substr(profile::kOptional.size()) : line));
  }

  /// Whether it is handed on.
  bool directive(const Words& words) {
    if (words.empty()) {
      return false;
    }
    const std::string& name = words.front();
    if (name == "verb" || name == "mute") {
      return false;
    }
    if (name == "ping" || name == "keepalive") {
      ping_ = number(words, 1);
    }
    if (name == "keepalive") {
      silence_ = number(words, 2);
    } else if (name == "ping-restart" || name == "ping-exit") {
      silence_ = number(words, 1);
    }
    pulls_ = pulls_ || name == "client" || name == "pull";
    says_data_ciphers_ = says_data_ciphers_ || name == "data-ciphers" || name == "ncp-ciphers";
    says_sso_ = says_sso_ || (name == "setenv" && words.size() > 1 && words[1] == "IV_SSO");
    if (name == "cipher" && words.size() > 1) {
      cipher_ = words[1];
    }
    return name != "ping" && name != "keepalive" && name != "ping-restart" && name != "ping-exit";
  }

  void add_ciphers() {
    const std::string name = upper(cipher_);
    const bool is_offered = std::ranges::find(kOffered, name) != kOffered.end();
    const bool is_name = name.find_first_not_of(kNameCharacters) == std::string::npos;
    if (pulls_ && !says_data_ciphers_ && !is_offered && is_name && !name.empty() &&
        name != "NONE") {
      result_.after +=
          formatted("data-ciphers AES-256-GCM:AES-128-GCM:?CHACHA20-POLY1305:?{}\n", cipher_);
    }
  }

  void add_liveness() {
    if (pulls_) {
      result_.before += "pull-filter ignore \"ping-restart 0\"\npull-filter ignore ping-exit\n";
    }
    const unsigned silence =
        silence_ == 0 && pulls_ ? kSilenceUsual : std::min(silence_, kSilenceMax);
    const unsigned ping = ping_ == 0 && pulls_ ? kPingUsual : ping_;
    if (ping != 0) {
      result_.after += formatted("ping {}\n", ping);
    }
    if (silence != 0) {
      result_.after += formatted("ping-restart {}\n", silence);
    }
  }

  Completed result_;
  std::string block_end_;  ///< of the inline block that the next line is in
  std::string cipher_;
  unsigned ping_ = 0;
  unsigned silence_ = 0;
  bool pulls_ = false;
  bool says_data_ciphers_ = false;
  bool says_sso_ = false;
};

}  // namespace

Completed complete(std::string_view config) {
  return Completion().run(config);
}

}  // namespace vpnrun::service::openvpn
