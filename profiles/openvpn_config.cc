// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/openvpn_directives.h"
#include "profiles/openvpn_inline.h"
#include "profiles/openvpn_lexer.h"
#include "profiles/openvpn_remotes.h"

namespace vpnrun::profile {
namespace {

using Words = std::vector<std::string>;

/// The marker of old files for "the block follows below": `tls-auth [inline] 1`.
constexpr const char* kInlineMarker = "[inline]";

bool is_word_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string::npos;
  });
}

/// What a message may show of a first word: a line of a key whose tags are broken arrives here too.
std::string shown(const std::string& word) {
  constexpr std::size_t kLongestDirective = 40;
  return word.size() <= kLongestDirective && is_word_of(word, "-_")
             ? fmt::format("'{}'", word)
             : "(not shown: it does not look like one)";
}

void refuse(const std::string& name, std::string_view reason) {
  throw Error(fmt::format("directive '{}' is refused: {}", printable(name), reason));
}

const std::string& single_argument(const Words& words) {
  if (words.size() != 2) {
    throw Error(fmt::format("'{}' takes one argument", words.front()));
  }
  return words[1];
}

/// OpenSSL loads a provider by name, and a name with a '/' from anywhere.
void check_providers(const Words& words) {
  constexpr std::array<std::string_view, 5> kKnown = {"default", "legacy", "fips", "base", "null"};
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (std::find(kKnown.begin(), kKnown.end(), words[i]) == kKnown.end()) {
      throw Error(
          fmt::format("provider '{}' is refused: it would load a library (allowed: default, "
                      "legacy, fips, base, null)",
                      printable(words[i])));
    }
  }
}

void check_addresses(const Words& words) {
  // A name would be looked up from inside the tunnel before there is one.
  if (!std::all_of(words.begin() + 1, words.end(), is_address_literal)) {
    throw Error(fmt::format("'{}' takes addresses, not names", words.front()));
  }
}

bool logs_keys(const Words& words) {
  constexpr int kLastHarmless = 6;  // from 7 on OpenVPN writes the session's keys to its log
  const std::string& text = single_argument(words);
  int level = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, level);
  if (error != std::errc{} || stop != end || level < 0) {
    throw Error("'verb' takes a number");
  }
  return level > kLastHarmless;
}

/// Variables that OpenVPN itself reads: sent to the server (UV_*, IV_*), or about its own
/// behaviour.
bool is_harmless_variable(std::string_view name) {
  return name.starts_with("UV_") || name.starts_with("IV_") || name == "FORWARD_COMPATIBLE" ||
         name == "CLIENT_CERT";
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& path, const FileReader& read_file)
      : lines_(text), path_(path), read_file_(read_file) {}

  OpenvpnConfig run();

 private:
  void parse_lines();
  [[nodiscard]] std::optional<std::string_view> next_line();
  void statement(std::string_view line);
  void directive(const Words& words);
  void act(const Directive& known, const Words& words);
  [[nodiscard]] bool act_by_place(const Directive& known, const Words& words);
  void act_special(const Directive& known, const Words& words);
  void unknown(const std::string& name);
  void pass(const Words& words);
  void ignore(const std::string& name, std::string_view reason);

  void block(const std::string& name);
  void connection();
  void finish_connections();
  [[nodiscard]] std::string content_up_to(const std::string& end_tag);
  void keep_block(Treatment treatment, const std::string& name, const std::string& content);
  void file(const Directive& known, const Words& words);

  void device(const Words& words);
  void device_type(const Words& words);
  void auth_user_pass(const Words& words);
  void set_environment(const Words& words);
  void check_device() const;

  LineReader lines_;
  const std::string& path_;
  const FileReader& read_file_;
  OpenvpnConfig config_;
  RemoteList remotes_;
  std::size_t line_ = 1;   ///< where the directive at work starts
  bool optional_ = false;  ///< inside of `setenv opt`
  std::vector<std::string> may_be_unknown_;
  std::vector<std::size_t> lines_of_remotes_;  ///< outside of <connection> blocks
  std::vector<std::string> exit_notify_;       ///< of each block, as a line; empty: none
  std::string device_;
  bool device_is_tun_ = false;
};

OpenvpnConfig Parser::run() {
  try {
    parse_lines();
    check_device();
    config_.remotes = remotes_.finish();
    if (remotes_.has_connection()) {
      finish_connections();
    }
  } catch (const Error& error) {
    throw error.with_context(fmt::format("{}:{}", printable(path_), line_));
  }
  return std::move(config_);
}

void Parser::parse_lines() {
  while (const std::optional<std::string_view> line = next_line()) {
    statement(*line);
  }
}

std::optional<std::string_view> Parser::next_line() {
  const std::optional<std::string_view> line = lines_.next();
  if (line) {
    line_ = lines_.number();
    if (line->find('\0') != std::string_view::npos) {
      throw Error("a control character");  // in a comment, too: this is not a text file
    }
    if (lines_.too_long()) {
      throw Error(fmt::format("the line is longer than the {} bytes that OpenVPN can read",
                              kOpenvpnLineMax - 1));
    }
  }
  return line;
}

void Parser::statement(std::string_view line) {
  Words words = split_words(line);
  if (words.empty()) {
    return;
  }
  if (words.front().size() > 2 && words.front().starts_with("--")) {
    words.front().erase(0, 2);
  }
  directive(words);
}

void Parser::directive(const Words& words) {
  const std::string& name = words.front();
  // After `setenv opt` a tag opens nothing.
  if (!optional_ && words.size() == 1 && name.size() > 2 && name.front() == '<' &&
      name.back() == '>') {
    block(name.substr(1, name.size() - 2));
    return;
  }
  const Directive* known = find_directive(name);
  if (known == nullptr) {
    unknown(name);
    return;
  }
  if (remotes_.in_connection() && !known->in_connection) {
    refuse(name, "it is not supported in a <connection> block; put it in front of the block");
  }
  act(*known, words);
}

/// What a directive means because of a <connection> block around or in front of it. False: nothing
/// else than anywhere.
bool Parser::act_by_place(const Directive& known, const Words& words) {
  if (!known.of_connection) {
    return false;
  }
  if (remotes_.in_connection()) {
    exit_notify_.back() = join_words(words);
    return true;
  }
  if (remotes_.has_connection()) {
    refuse(words.front(),
           "it comes after a <connection> block, where OpenVPN applies only part of it; "
           "put it in front of the first block");
  }
  return false;
}

void Parser::act(const Directive& known, const Words& words) {
  if (act_by_place(known, words)) {
    return;
  }
  switch (known.treatment) {
    case Treatment::kAddresses:
      check_addresses(words);
      return pass(words);
    case Treatment::kProviders:
      check_providers(words);
      return pass(words);
    case Treatment::kPass:
    case Treatment::kPassIfKnown:
    case Treatment::kFingerprints:
      return pass(words);
    case Treatment::kPem:
    case Treatment::kPemDirection:
    case Treatment::kPkcs12:
      return file(known, words);
    case Treatment::kIgnore:
      return ignore(words.front(), known.reason);
    case Treatment::kRefuse:
      return refuse(words.front(), known.reason);
    default:
      return act_special(known, words);
  }
}

void Parser::act_special(const Directive& known, const Words& words) {
  const RemoteList::Arguments arguments(words.begin() + 1, words.end());
  switch (known.treatment) {
    case Treatment::kRemote:
      if (!remotes_.in_connection()) {
        lines_of_remotes_.push_back(line_);
      }
      return remotes_.add(arguments);
    case Treatment::kProto:
      return remotes_.set_protocol(arguments);
    case Treatment::kProtoForce:
      return remotes_.force_protocol(arguments);
    case Treatment::kPort:
      return remotes_.set_port(arguments);
    case Treatment::kRemoteRandom:
      config_.remote_random = true;
      return;
    case Treatment::kDev:
      return device(words);
    case Treatment::kDevType:
      return device_type(words);
    case Treatment::kAuthUserPass:
      return auth_user_pass(words);
    case Treatment::kSetenv:
      return set_environment(words);
    case Treatment::kIgnoreUnknown:
      may_be_unknown_.insert(may_be_unknown_.end(), words.begin() + 1, words.end());
      return;
    case Treatment::kMode:
      return single_argument(words) == "p2p" ? ignore("mode", "p2p is what a client is")
                                             : refuse("mode", "it is for servers");
    case Treatment::kDnsUpdown:
      return single_argument(words) == "disable" ? ignore("dns-updown", "vpnrun disables it")
                                                 : refuse("dns-updown", "it runs a program");
    case Treatment::kVerb:
      return logs_keys(words) ? ignore("verb", "from 7 on OpenVPN logs the keys of the session")
                              : pass(words);
    default:
      return refuse(words.front(), "it is not supported");
  }
}

void Parser::unknown(const std::string& name) {
  // In a <connection> block OpenVPN has not heard of `ignore-unknown-option`.
  const bool allowed =
      !remotes_.in_connection() &&
      std::find(may_be_unknown_.begin(), may_be_unknown_.end(), name) != may_be_unknown_.end();
  if (optional_ || allowed) {
    ignore(name, "OpenVPN does not know it");
    return;
  }
  const std::string_view nearest = nearest_directive(name);
  throw Error(fmt::format("unknown directive {}{}", shown(name),
                          nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

void Parser::pass(const Words& words) {
  const Directive* known = find_directive(words.front());
  if (optional_ || (known != nullptr && known->treatment == Treatment::kPassIfKnown)) {
    Words optional = {"setenv", "opt"};
    optional.insert(optional.end(), words.begin(), words.end());
    config_.text += join_words(optional);
    return;
  }
  config_.text += join_words(words);
}

void Parser::ignore(const std::string& name, std::string_view reason) {
  config_.ignored.push_back(fmt::format("line {}: '{}': {}", line_, printable(name), reason));
}

void Parser::block(const std::string& name) {
  if (name == "/connection" || (name == "connection" && remotes_.in_connection())) {
    throw Error(fmt::format("<{}> without the other half of the block", name));
  }
  if (name == "connection") {
    return connection();
  }
  const Directive* known = find_directive(name);
  if (known == nullptr || remotes_.in_connection()) {
    throw Error(fmt::format("unknown block {}{}", shown(name),
                            remotes_.in_connection() ? " inside <connection>" : ""));
  }
  const std::string content = content_up_to("</" + name + ">");
  if (known->treatment == Treatment::kAuthUserPass) {
    throw Error(
        "credentials inside the file are refused", {},
        "move the two lines to a file of mode 0600 and name it by 'credentials' in [tunnel]");
  }
  if (known->treatment == Treatment::kRefuse) {
    refuse(name, known->reason);
  }
  try {
    keep_block(known->treatment, name, content);
  } catch (const Error& error) {
    throw error.with_context(fmt::format("cannot use block <{}>", name));
  }
}

void Parser::connection() {
  constexpr std::string_view kEnd = "</connection>";
  remotes_.begin_connection();
  exit_notify_.emplace_back();
  while (const std::optional<std::string_view> line = next_line()) {
    // OpenVPN looks for the end before it looks for words.
    if (ends_block(*line, kEnd)) {
      return remotes_.end_connection();
    }
    statement(*line);
  }
  throw Error("the block <connection> is not closed");
}

/// What the blocks say of things that the client has only once.
void Parser::finish_connections() {
  const std::string& notify = exit_notify_.front();
  if (std::count(exit_notify_.begin(), exit_notify_.end(), notify) ==
      static_cast<std::ptrdiff_t>(exit_notify_.size())) {
    config_.text += notify;
  } else {
    ignore("explicit-exit-notify", "not all <connection> blocks have the same");
  }
  for (const std::size_t line : lines_of_remotes_) {
    line_ = line;
    ignore("remote", "<connection> blocks take its place");
  }
}

std::string Parser::content_up_to(const std::string& end_tag) {
  std::string content;
  while (const std::optional<std::string_view> line = lines_.next()) {
    // OpenVPN would drop the rest of this line, and the line end with it.
    if (line->find('\0') != std::string_view::npos) {
      throw Error("a control character in the block");
    }
    // It would take the line apart: the tag could end the block, the rest be a directive.
    if (lines_.too_long() && line->find(end_tag) != std::string_view::npos) {
      throw Error(
          fmt::format("line {} has '{}' and is longer than the {} bytes that OpenVPN can "
                      "read",
                      lines_.number(), end_tag, kOpenvpnLineMax - 1));
    }
    if (ends_block(*line, end_tag)) {
      return content;
    }
    content += *line;
    content += '\n';
  }
  throw Error(fmt::format("the block is not closed: expected '{}'", end_tag));
}

void Parser::keep_block(Treatment treatment, const std::string& name, const std::string& content) {
  switch (treatment) {
    case Treatment::kPem:
    case Treatment::kPemDirection:
      config_.text += inline_block(name, pem_content(content, name));
      return;
    case Treatment::kPkcs12:
      config_.text += inline_block(name, rewrapped_base64(content));
      return;
    case Treatment::kFingerprints:
      config_.text += inline_block(name, fingerprint_content(content));
      return;
    default:
      throw Error(fmt::format("'{}' has no block", name));
  }
}

void Parser::file(const Directive& known, const Words& words) {
  const bool has_direction = known.treatment == Treatment::kPemDirection && words.size() == 3;
  if (known.name == "crl-verify" && words.size() == 3 && words[2] == "dir") {
    throw Error("'crl-verify' with a folder of lists is not supported", {},
                "put the lists into one file, and take away 'dir'");
  }
  if (words.size() != 2 && !has_direction) {
    throw Error(fmt::format("'{}' takes one file here", known.name));
  }
  if (has_direction) {
    if (words[2] != "0" && words[2] != "1") {
      throw Error(fmt::format("the direction of '{}' is 0 or 1", known.name));
    }
    pass({"key-direction", words[2]});
  }
  if (words[1] == kInlineMarker) {
    return;
  }
  try {
    const std::string content = read_file_(known.name, words[1]);
    if (known.treatment == Treatment::kPkcs12) {
      check_pkcs12(content);
      config_.text += inline_block(known.name, base64_content(content));
    } else {
      config_.text += inline_block(known.name, pem_content(content, known.name));
    }
  } catch (const Error& error) {
    throw error.with_context(fmt::format("'{}' file '{}'", known.name, printable(words[1])));
  }
}

void Parser::device(const Words& words) {
  device_ = single_argument(words);
  if (device_.starts_with("tap") || device_ == "null") {
    refuse("dev " + device_, "only layer 3 tunnels (tun) are supported");
  }
  device_is_tun_ = device_is_tun_ || device_.starts_with("tun");
  ignore("dev", "vpnrun makes the tunnel device");
}

void Parser::device_type(const Words& words) {
  if (single_argument(words) != "tun") {
    refuse("dev-type " + words[1], "only layer 3 tunnels (tun) are supported");
  }
  device_is_tun_ = true;
  ignore("dev-type", "vpnrun makes the tunnel device");
}

void Parser::check_device() const {
  if (!device_.empty() && !device_is_tun_) {
    throw Error(
        fmt::format("cannot tell the type of device '{}': expected 'dev tun' or "
                    "'dev-type tun'",
                    printable(device_)));
  }
}

void Parser::auth_user_pass(const Words& words) {
  if (words.size() > 2) {
    throw Error("'auth-user-pass' takes at most one file");
  }
  config_.needs_user_pass = true;
  if (words.size() == 2 && words[1] != kInlineMarker) {
    if (words[1].empty()) {
      throw Error("'auth-user-pass' file '': this is not the name of a file");
    }
    config_.user_pass_file = words[1];
    config_.user_pass_line = line_;
  }
}

void Parser::set_environment(const Words& words) {
  if (words.size() < 2) {
    throw Error("'setenv' takes a name and a value");
  }
  if (words[1] == "opt") {
    if (optional_) {
      // Not once more: to OpenVPN "opt" is a variable then.
      return ignore("setenv opt", "no script runs that could use it");
    }
    if (words.size() > 2) {
      optional_ = true;
      directive(Words(words.begin() + 2, words.end()));
      optional_ = false;
    }
    return;
  }
  // Not variables but the older names of directives.
  if (words[1] == "GENERIC_CONFIG") {
    refuse("setenv GENERIC_CONFIG", "it says that the file is to be completed first");
  }
  if (words[1] == "SERVER_POLL_TIMEOUT" && words.size() == 3) {
    return directive({"server-poll-timeout", words[2]});
  }
  if (words[1] == "PUSH_PEER_INFO" && words.size() == 2) {
    return directive({"push-peer-info"});
  }
  constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (is_harmless_variable(words[1]) && is_word_of(words[1], kNameCharacters)) {
    return pass(words);
  }
  ignore("setenv " + words[1], "no script runs that could use it");
}

}  // namespace

OpenvpnConfig parse_openvpn_config(std::string_view text, const std::string& path,
                                   const FileReader& read_file) {
  return Parser(text, path, read_file).run();
}

}  // namespace vpnrun::profile
