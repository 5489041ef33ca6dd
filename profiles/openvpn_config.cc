// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/findings.h"
#include "profiles/openvpn_client_check.h"
#include "profiles/openvpn_directives.h"
#include "profiles/openvpn_inline.h"
#include "profiles/openvpn_kind.h"
#include "profiles/openvpn_lexer.h"
#include "profiles/openvpn_remotes.h"
#include "profiles/openvpn_words.h"

namespace vpnrun::profile {
namespace {

using Words = std::vector<std::string>;

/// The marker of old files for "the block follows below": `tls-auth [inline] 1`.
constexpr const char* kInlineMarker = "[inline]";
constexpr std::string_view kEndOfConnection = "</connection>";

[[noreturn]] void refuse(const std::string& name, std::string_view reason) {
  throw Error(formatted("directive '{}' is refused: {}", printable(name), reason));
}

const std::string& single_argument(const Words& words) {
  if (words.size() != 2) {
    throw Error(formatted("'{}' takes one argument", words.front()));
  }
  return words[1];
}

/// OpenSSL loads a provider by name, and a name with a '/' from anywhere.
void check_providers(const Words& words) {
  constexpr std::array<std::string_view, 5> kKnown = {"default", "legacy", "fips", "base", "null"};
  if (words.size() < 2) {
    throw Error("'providers' takes names of providers");
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (std::find(kKnown.begin(), kKnown.end(), words[i]) == kKnown.end()) {
      throw Error(
          formatted("provider '{}' is refused: it would load a library (allowed: default, "
                    "legacy, fips, base, null)",
                    printable(words[i])));
    }
  }
}

void check_addresses(const Words& words) {
  // A name would be looked up from inside the tunnel before there is one.
  if (!std::all_of(words.begin() + 1, words.end(), is_address_literal)) {
    throw Error(formatted("'{}' takes addresses, not names", words.front()));
  }
}

bool is_control_key(std::string_view name) {
  return name == "tls-auth" || name == "tls-crypt" || name == "tls-crypt-v2";
}

/// What is worth as much as a password (as OwnFiles has it of files).
bool is_secret(std::string_view name) {
  return name == "key" || name == "pkcs12" || name == "secret" || name == "tls-crypt-v2";
}

/// In one <connection> block.
void check_exclusive(const std::map<std::string, std::size_t, std::less<>>& keys) {
  if (keys.size() > 1) {
    throw Error(
        formatted("'{}' and '{}' in one <connection> block exclude each other: the "
                  "server uses one of them; remove the other",
                  keys.begin()->first, std::next(keys.begin())->first));
  }
}

class Parser {
 public:
  /// Nobody mends more lines at once; and whoever wrote the file does not decide how long we look
  /// at it.
  static constexpr std::size_t kEnough = 100;
  static constexpr std::size_t kOpenBlocksMost = 5;

  Parser(std::string_view text, const std::string& path, const FileReader& read_file)
      : text_(text), lines_(text), findings_(path), read_file_(read_file) {}

  OpenvpnConfig run();
  /// The same, and judges what was read as a client.
  OpenvpnConfig run_as_client(const FurtherCheck& further);

 private:
  /// What wraps the control channel: keys by their directive, and the direction of that of
  /// `tls-auth`.
  struct ControlKeys {
    std::map<std::string, std::string, std::less<>> blocks;
    std::map<std::string, std::size_t, std::less<>> lines;
    std::string direction;
    friend bool operator==(const ControlKeys& a, const ControlKeys& b) {
      return a.blocks == b.blocks && a.direction == b.direction;
    }
  };
  /// A <connection> block: what it sets besides its server, as lines, by directive.
  struct Connection {
    std::size_t line = 0;
    std::size_t remote = 0;  ///< the line of its server; 0: none counts
    std::map<std::string, std::string, std::less<>> settings;
    ControlKeys keys;       ///< without any, those in front of or behind the blocks count
    std::size_t proxy = 0;  ///< the line that asks for one; 0: none does
  };

  /// What goes wrong in `work` is about the line at work; others may follow.
  template <class Work>
  void attempt(const Work& work);
  [[nodiscard]] std::optional<std::string_view> next_line();
  void check_line(std::string_view line) const;
  void statement(std::string_view line);
  void directive(const Words& words);
  void act(const Directive& known, const Words& words);
  [[nodiscard]] bool act_by_place(const Directive& known, const Words& words);
  void act_special(const Directive& known, const Words& words);
  void unknown(const std::string& name);
  void not_shown();
  void tell_not_shown();
  void pass(const Words& words);
  void leave_out(const std::string& name, std::string_view reason,
                 Severity severity = Severity::kInfo);

  void block(const std::string& name);
  void unknown_block(const std::string& name);
  void connection();
  void read();
  void finish();
  void note_failure();
  [[nodiscard]] bool finish_connections();
  void settle_connections();
  void settle_keys();
  [[nodiscard]] const ControlKeys& keys_of(const Connection& connection) const;
  [[nodiscard]] ControlKeys& keys_at_work();
  void add_keys(const ControlKeys& keys);
  void hand_on(std::string_view name, const std::string& content);
  void direction(const std::string& name, const std::string& number);
  void drop(Connection& connection, std::size_t line, const std::string& directive,
            std::string_view reason);
  [[nodiscard]] bool is_closed(std::string_view end_tag);
  void check_place_of_block(const Directive& known) const;
  void skip_open_block();
  void skip_pem();
  [[nodiscard]] std::string content_up_to(const std::string& end_tag);
  void keep_block(const Directive& known, const std::string& content);
  void file(const Directive& known, const Words& words);

  void device(const Words& words);
  void device_type(const Words& words);
  void auth_user_pass(const Words& words);
  void set_environment(const Words& words);
  void script(const Words& words, std::string_view reason);
  void proxy(const Directive& known, const Words& words);
  void verbosity(const Words& words);
  void check_device() const;

  std::string_view text_;
  LineReader lines_;
  Findings findings_;
  const FileReader& read_file_;
  OpenvpnConfig config_;
  RemoteList remotes_;
  std::size_t line_ = 1;   ///< where the directive at work starts
  std::string at_work_;    ///< its name
  bool optional_ = false;  ///< inside of `setenv opt`
  bool forward_compatible_ = false;
  bool random_label_ = false;
  std::vector<std::string> may_be_unknown_;
  std::vector<std::size_t> lines_of_remotes_;  ///< outside of <connection> blocks
  std::vector<Connection> connections_;
  std::size_t hidden_first_ = 0;  ///< lines one after the other that are unknown and not shown
  std::size_t hidden_last_ = 0;
  std::size_t open_blocks_ = 0;  ///< that are not closed
  ControlKeys keys_;             ///< outside of <connection> blocks
  /// A line that is refused may have been meant as anything, or as a server.
  Absence absence_ = Absence::kTold;
  bool may_lack_servers_ = false;
  std::string device_;
  bool device_is_tun_ = false;
};

OpenvpnConfig Parser::run() {
  read();
  // Without the lines that are refused there may be no server, or the wrong ones.
  if (findings_.empty()) {
    finish();
  }
  findings_.raise();
  return std::move(config_);
}

OpenvpnConfig Parser::run_as_client(const FurtherCheck& further) {
  read();
  if (!may_lack_servers_) {
    finish();
  }
  add_client_findings(config_, absence_, findings_);
  if (further) {
    further(config_, findings_);
  }
  findings_.raise();
  return std::move(config_);
}

void Parser::read() {
  if (const auto kind = other_kind(text_)) {
    findings_.add(1, *kind);
    findings_.raise();
  }
  while (const std::optional<std::string_view> line = next_line()) {
    attempt([&] { statement(*line); });
  }
  tell_not_shown();
  if (findings_.size() >= kEnough) {
    absence_ = Absence::kUnclear;  // the rest was not looked at
    may_lack_servers_ = true;
  }
  at_work_ = "dev";
  attempt([this] { check_device(); });
}

void Parser::finish() {
  at_work_ = "remote";
  if (finish_connections()) {
    attempt([this] { config_.remotes = remotes_.finish(); });
  }
  for (Remote& remote : config_.remotes) {
    remote.random_label = random_label_ && !is_address_literal(remote.host);
  }
}

template <class Work>
void Parser::attempt(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    findings_.add(line_, error);
    note_failure();
  }
}

/// The file is refused. What its other lines make together is told all the same, but not that a
/// directive is missing which the line at work has, or was meant to have.
void Parser::note_failure() {
  const Directive* meant = meant_directive(at_work_);
  if (meant == nullptr) {
    absence_ = Absence::kUnclear;
    may_lack_servers_ = true;
    return;
  }
  config_.given.try_emplace(std::string(meant->name), line_);
  switch (meant->treatment) {
    case Treatment::kRemote:
    case Treatment::kProto:
    case Treatment::kProtoForce:
    case Treatment::kPort:
      may_lack_servers_ = true;
      break;
    default:
      may_lack_servers_ =
          may_lack_servers_ || remotes_.in_connection() || meant->name == "connection";
  }
}

/// The next that OpenVPN can read; what is wrong with the others is noted.
std::optional<std::string_view> Parser::next_line() {
  while (findings_.size() < kEnough) {
    const std::optional<std::string_view> line = lines_.next();
    if (!line) {
      break;
    }
    line_ = lines_.number();
    optional_ = false;
    at_work_.clear();
    const std::size_t before = findings_.size();
    attempt([&] { check_line(*line); });
    if (findings_.size() == before) {
      return line;
    }
  }
  return std::nullopt;
}

void Parser::check_line(std::string_view line) const {
  if (line.find('\0') != std::string_view::npos) {
    throw Error("a control character: this is not a text file");  // in a comment, too
  }
  if (lines_.too_long()) {
    throw Error(formatted("the line is longer than the {} bytes that OpenVPN can read",
                          kOpenvpnLineMax - 1));
  }
}

void Parser::statement(std::string_view line) {
  if (line.starts_with("-----BEGIN ")) {
    return skip_pem();
  }
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
  at_work_ = name;
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
    connections_.back().settings.insert_or_assign(words.front(), join_words(words));
    return true;
  }
  if (remotes_.has_connection()) {
    leave_out(words.front(), "it comes after the <connection> blocks, and so is for none of them",
              Severity::kNotice);
    return true;
  }
  return false;
}

void Parser::act(const Directive& known, const Words& words) {
  config_.lines.try_emplace(words.front(), line_);
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
    case Treatment::kPemNumber:
    case Treatment::kPemCookie:
    case Treatment::kPkcs12:
      return file(known, words);
    case Treatment::kIgnore:
      return leave_out(words.front(), known.reason);
    case Treatment::kLeaveOut:
      return leave_out(words.front(), known.reason, Severity::kNotice);
    case Treatment::kScript:
      return script(words, known.reason);
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
      return remotes_.add(arguments, line_);
    case Treatment::kProto:
      return remotes_.set_protocol(arguments);
    case Treatment::kProtoForce:
      return remotes_.force_protocol(arguments);
    case Treatment::kPort:
      return remotes_.set_port(arguments);
    case Treatment::kRemoteRandom:
      config_.remote_random = true;
      return;
    case Treatment::kRandomHostname:
      random_label_ = true;
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
      return single_argument(words) == "p2p" ? leave_out("mode", "p2p is what a client is")
                                             : refuse("mode", "it is for servers");
    case Treatment::kDnsUpdown:
      return single_argument(words) == "disable" ? leave_out("dns-updown", "vpnrun disables it")
                                                 : script(words, known.reason);
    case Treatment::kProxy:
      return proxy(known, words);
    case Treatment::kKeyDirection:
      return direction(words.front(), single_argument(words));
    case Treatment::kVerb:
      return verbosity(words);
    default:
      return refuse(words.front(), "it is not supported");
  }
}

void Parser::unknown(const std::string& name) {
  // In a <connection> block OpenVPN has heard of neither.
  const bool allowed =
      !remotes_.in_connection() &&
      (forward_compatible_ ||
       std::find(may_be_unknown_.begin(), may_be_unknown_.end(), name) != may_be_unknown_.end());
  if (optional_ || allowed) {
    leave_out(name, "OpenVPN does not know it");
    return;
  }
  if (!can_be_shown(name)) {
    return not_shown();
  }
  throw Error(formatted("unknown directive '{}'{}", printable(name), did_you_mean(name, "'", "'")));
}

/// Lines of a key whose tags are broken are one finding, not fifty.
void Parser::not_shown() {
  if (hidden_last_ + 1 != line_ || hidden_last_ == 0) {
    tell_not_shown();
    hidden_first_ = line_;
  }
  hidden_last_ = line_;
  at_work_.clear();
  note_failure();
}

void Parser::tell_not_shown() {
  if (hidden_last_ == 0) {
    return;
  }
  findings_.add(
      hidden_first_,
      hidden_first_ == hidden_last_
          ? Error("unknown directive (not shown: it does not look like one)")
          : Error(formatted("unknown directives up to line {} (not shown: they do not look like "
                            "any); the block of a key or certificate needs its tags",
                            hidden_last_)));
  hidden_first_ = hidden_last_ = 0;
}

void Parser::pass(const Words& words) {
  const Directive* known = find_directive(words.front());
  std::string line;
  if (optional_ || (known != nullptr && known->treatment == Treatment::kPassIfKnown)) {
    Words optional = {"setenv", "opt"};
    optional.insert(optional.end(), words.begin(), words.end());
    line = join_words(optional);
  } else {
    line = join_words(words);
  }
  config_.text += line;
  config_.given.try_emplace(words.front(), line_);
}

void Parser::leave_out(const std::string& name, std::string_view reason, Severity severity) {
  config_.left_out.push_back({.directive = printable(name),
                              .lines = {static_cast<std::uint32_t>(line_)},
                              .reason = std::string(reason),
                              .severity = severity});
}

// --- blocks --------------------------------------------------------------------------------------

void Parser::block(const std::string& name) {
  at_work_ = name;
  if (name.starts_with('/')) {
    const std::string opened = name.substr(1);
    at_work_ = opened;
    throw Error(can_be_shown(opened) ? formatted("</{0}> without <{0}>", opened)
                                     : "the end of a block that has not begun (not shown)");
  }
  if (name == "connection" && remotes_.in_connection()) {
    throw Error("<connection> inside of <connection>: the one before it is not closed");
  }
  if (name == "connection") {
    return connection();
  }
  const Directive* known = find_directive(name);
  if (known == nullptr) {
    return unknown_block(name);
  }
  config_.lines.try_emplace(name, line_);
  const std::string end_tag = "</" + name + ">";
  if (!is_closed(end_tag)) {
    skip_open_block();
    throw Error(formatted("the block is not closed: expected '{}'", end_tag));
  }
  const std::string content = content_up_to(end_tag);
  check_place_of_block(*known);
  if (known->treatment == Treatment::kAuthUserPass) {
    throw Error(
        "credentials inside the file are refused", {},
        "move the two lines to a file of mode 0600 and name it by 'credentials' in [tunnel]");
  }
  if (known->treatment == Treatment::kRefuse || known->treatment == Treatment::kProxy) {
    refuse(name, known->reason);
  }
  try {
    keep_block(*known, content);
  } catch (const Error& error) {
    throw error.with_context(formatted("cannot use block <{}>", name));
  }
}

void Parser::check_place_of_block(const Directive& known) const {
  if (remotes_.in_connection() && !is_control_key(known.name)) {
    throw Error(
        formatted("<{}> inside of <connection> is not supported; put it in front of the "
                  "block",
                  known.name));
  }
}

/// Its content is not judged: it was not meant as lines of their own.
void Parser::unknown_block(const std::string& name) {
  const std::string end_tag = "</" + name + ">";
  const bool closed = is_closed(end_tag);
  if (closed) {
    (void)content_up_to(end_tag);
  }
  const bool allowed =
      !remotes_.in_connection() &&
      (forward_compatible_ ||
       std::find(may_be_unknown_.begin(), may_be_unknown_.end(), name) != may_be_unknown_.end());
  if (allowed && closed) {
    leave_out(name, "OpenVPN does not know it");
    return;
  }
  if (!closed) {
    skip_open_block();
  }
  throw Error(can_be_shown(name)
                  ? formatted("unknown block <{}>{}", name, did_you_mean(name, "<", ">"))
                  : "unknown block (not shown: it does not look like one)");
}

void Parser::connection() {
  if (!is_closed(kEndOfConnection)) {
    throw Error("the block <connection> is not closed: expected '</connection>'");
  }
  const std::size_t start = line_;
  remotes_.begin_connection();
  connections_.emplace_back().line = start;
  while (const std::optional<std::string_view> line = next_line()) {
    // OpenVPN looks for the end before it looks for words.
    if (ends_block(*line, kEndOfConnection)) {
      break;
    }
    attempt([&] { statement(*line); });
  }
  line_ = start;
  at_work_ = "connection";
  connections_.back().remote = remotes_.end_connection();
  if (connections_.back().remote == 0) {
    throw Error("a <connection> block needs one 'remote'");
  }
  check_exclusive(connections_.back().keys.lines);
}

void Parser::drop(Connection& connection, std::size_t line, const std::string& directive,
                  std::string_view reason) {
  line_ = line;
  leave_out(directive, reason, Severity::kNotice);
  remotes_.leave_out(connection.remote);
  connection.remote = 0;
}

/// Which servers of the blocks count, and what they say of things that the client has only once.
/// False: none counts, which is noted.
bool Parser::finish_connections() {
  for (const std::size_t line : lines_of_remotes_) {
    if (remotes_.has_connection()) {
      line_ = line;
      leave_out("remote", "<connection> blocks take its place");
    }
  }
  if (!connections_.empty() &&
      std::all_of(connections_.begin(), connections_.end(),
                  [](const Connection& connection) { return connection.proxy != 0; })) {
    for (const Connection& connection : connections_) {
      findings_.add(connection.proxy,
                    Error("a proxy is refused: proxies are not supported, and no server of the "
                          "file does without one"));
    }
    return false;
  }
  for (Connection& connection : connections_) {
    if (connection.proxy != 0) {
      drop(connection, connection.line, "connection",
           "its server needs a proxy, which is not supported; the others are used");
    }
  }
  settle_connections();
  settle_keys();
  return true;
}

/// A setting in which all blocks agree holds for the client. A server that fragments its packets
/// cannot do without that; other settings can be left out.
void Parser::settle_connections() {
  std::erase_if(connections_, [](const Connection& one) { return one.remote == 0; });
  if (connections_.empty()) {
    return;
  }
  const auto of = [](const Connection& one, const std::string& name) {
    const auto found = one.settings.find(name);
    return found == one.settings.end() ? std::string() : found->second;
  };
  const std::string fragment = of(connections_.front(), "fragment");
  for (Connection& one : connections_) {
    if (of(one, "fragment") != fragment) {
      drop(one, one.line, "connection",
           "its 'fragment' is not that of the first server; servers that agree are used");
    }
  }
  std::erase_if(connections_, [](const Connection& one) { return one.remote == 0; });
  std::map<std::string, std::string, std::less<>> all;
  for (const Connection& one : connections_) {
    all.insert(one.settings.begin(), one.settings.end());
  }
  for (const auto& [name, line] : all) {
    const bool agree = std::all_of(
        connections_.begin(), connections_.end(),
        [&of, name = name, line = line](const Connection& one) { return of(one, name) == line; });
    line_ = connections_.front().line;
    if (agree) {
      config_.text += line;
    } else {
      leave_out(name, "not all <connection> blocks have the same",
                name == "explicit-exit-notify" ? Severity::kInfo : Severity::kNotice);
    }
  }
}

/// The client has one set of keys: that of the first server that counts.
void Parser::settle_keys() {
  const ControlKeys& keys = connections_.empty() ? keys_ : keys_of(connections_.front());
  for (Connection& one : connections_) {
    if (!(keys_of(one) == keys)) {
      drop(one, one.line, "connection",
           "its key of the control channel (tls-auth, tls-crypt) is not that of the first server; "
           "servers that agree are used");
    }
  }
  add_keys(keys);
}

/// In a block with a key nothing of the keys outside counts, their direction neither.
const Parser::ControlKeys& Parser::keys_of(const Connection& connection) const {
  return connection.keys.blocks.empty() ? keys_ : connection.keys;
}

Parser::ControlKeys& Parser::keys_at_work() {
  return remotes_.in_connection() ? connections_.back().keys : keys_;
}

void Parser::add_keys(const ControlKeys& keys) {
  config_.text += keys.direction;
  for (const auto& [name, block] : keys.blocks) {
    config_.text += block;
  }
  config_.given.insert(keys.lines.begin(), keys.lines.end());
}

void Parser::hand_on(std::string_view name, const std::string& content) {
  const std::string block = inline_block(name, content);
  if (is_control_key(name)) {
    keys_at_work().blocks.insert_or_assign(std::string(name), block);
    keys_at_work().lines.insert_or_assign(std::string(name), line_);
    return;
  }
  config_.text += block;
  config_.given.try_emplace(std::string(name), line_);
}

/// Of several the last one counts.
void Parser::direction(const std::string& name, const std::string& number) {
  if (number != "0" && number != "1") {
    throw Error(formatted("the direction of '{}' is 0 or 1", name));
  }
  keys_at_work().direction = join_words({"key-direction", number});
}

/// Whether a line further down ends the block that has just begun.
bool Parser::is_closed(std::string_view end_tag) {
  LineReader ahead = lines_;
  while (const std::optional<std::string_view> line = ahead.next()) {
    if (ends_block(*line, end_tag)) {
      return true;
    }
    if (remotes_.in_connection() && ends_block(*line, kEndOfConnection)) {
      return false;  // OpenVPN looks for the end of the outer one first
    }
  }
  if (++open_blocks_ == kOpenBlocksMost) {
    lines_ = ahead;  // each has cost a look at the rest of the file
  }
  return false;
}

/// Its end is missing, so it is not known: where another block begins, at the latest.
void Parser::skip_open_block() {
  for (LineReader ahead = lines_; const std::optional<std::string_view> line = ahead.next();
       lines_ = ahead) {
    const std::string_view name = name_of_tag(*line);
    if (!name.empty() && (name == "connection" || find_directive(name) != nullptr)) {
      return;
    }
  }
}

void Parser::skip_pem() {
  LineReader ahead = lines_;
  while (const std::optional<std::string_view> line = ahead.next()) {
    if (line->starts_with("-----END ")) {
      lines_ = ahead;
      break;
    }
  }
  throw Error(
      "a certificate or key without a block around it: expected <ca>, <cert>, <key> or the like in "
      "front of it, and the end of the block behind it");
}

std::string Parser::content_up_to(const std::string& end_tag) {
  std::string content;
  std::string error;
  while (const std::optional<std::string_view> line = lines_.next()) {
    // OpenVPN would drop the rest of this line, and the line end with it.
    if (line->find('\0') != std::string_view::npos) {
      error = "a control character in the block";
    }
    // It would take the line apart: the tag could end the block, the rest be a directive.
    if (lines_.too_long() && line->find(end_tag) != std::string_view::npos) {
      error = formatted("line {} has '{}' and is longer than the {} bytes that OpenVPN can read",
                        lines_.number(), end_tag, kOpenvpnLineMax - 1);
    }
    if (ends_block(*line, end_tag)) {
      if (!error.empty()) {
        throw Error(error);
      }
      return content;
    }
    content += *line;
    content += '\n';
  }
  throw Error(formatted("the block is not closed: expected '{}'", end_tag));
}

void Parser::keep_block(const Directive& known, const std::string& content) {
  const std::string name(known.name);
  switch (known.treatment) {
    case Treatment::kPem:
    case Treatment::kPemDirection:
    case Treatment::kPemNumber:
    case Treatment::kPemCookie:
      hand_on(name, pem_content(content, name));
      break;
    case Treatment::kPkcs12:
      hand_on(name, rewrapped_base64(content));
      break;
    case Treatment::kFingerprints:
      hand_on(name, fingerprint_content(content));
      break;
    default:
      if (name == "dh" || name == "auth-gen-token-secret") {  // OpenVPN takes no other of these
        return leave_out(name, known.reason, Severity::kNotice);
      }
      throw Error(formatted("'{}' has no block", name));
  }
  if (name == "tls-auth" && remotes_.in_connection()) {
    connections_.back().keys.direction.clear();
  }
  if (is_secret(name) && config_.secret_line == 0) {
    config_.secret_line = line_;
  }
}

// --- directives with rules of their own ----------------------------------------------------------

void Parser::file(const Directive& known, const Words& words) {
  const bool may_have_number =
      known.treatment == Treatment::kPemDirection || known.treatment == Treatment::kPemNumber;
  if (known.name == "crl-verify" && words.size() == 3 && words[2] == "dir") {
    throw Error(
        "'crl-verify' with a folder of lists is not supported: put the lists into one file, and "
        "take away 'dir'");
  }
  const bool is_for_servers = known.treatment == Treatment::kPemCookie && words.size() == 3 &&
                              (words[2] == "force-cookie" || words[2] == "allow-noncookie");
  if (words.size() != 2 && !(may_have_number && words.size() == 3) && !is_for_servers) {
    throw Error(formatted("'{}' takes one file here", known.name));
  }
  if (known.name == "tls-auth" && remotes_.in_connection()) {
    connections_.back().keys.direction.clear();
  }
  if (known.treatment == Treatment::kPemDirection && words.size() == 3) {
    direction(words.front(), words[2]);
  }
  if (words[1] == kInlineMarker) {
    return;
  }
  try {
    const std::string content = read_file_(known.name, words[1]);
    if (known.treatment == Treatment::kPkcs12) {
      check_pkcs12(content);
      hand_on(known.name, base64_content(content));
    } else {
      hand_on(known.name, pem_content(content, known.name));
    }
  } catch (const Error& error) {
    throw error.with_context(formatted("'{}' file '{}'", known.name, printable(words[1])));
  }
}

/// A program of the provider's is what vpnrun does itself; the person's own is missed.
void Parser::script(const Words& words, std::string_view reason) {
  if (words.size() < 2 || is_resolver_script(words[1])) {
    return leave_out(words.front(), reason, Severity::kNotice);
  }
  leave_out(words.front(), "no program that a file names is run; [hooks] in the profile runs yours",
            Severity::kWarning);
}

void Parser::proxy(const Directive& known, const Words& words) {
  if (!remotes_.in_connection()) {
    refuse(words.front(), known.reason);
  }
  connections_.back().proxy = line_;
}

void Parser::verbosity(const Words& words) {
  constexpr int kLastHarmless = 6;  // from 7 on OpenVPN writes the session's keys to its log
  const int level = number_of(single_argument(words));
  if (level > kLastHarmless) {
    return leave_out("verb", "from 7 on OpenVPN logs the keys of the session");
  }
  pass({"verb", std::to_string(level)});
}

void Parser::device(const Words& words) {
  device_ = single_argument(words);
  if (device_.starts_with("tap") || device_ == "null") {
    refuse("dev " + device_, "only layer 3 tunnels (tun) are supported");
  }
  device_is_tun_ = device_is_tun_ || device_.starts_with("tun");
  leave_out("dev", "vpnrun makes the tunnel device");
}

void Parser::device_type(const Words& words) {
  if (single_argument(words) != "tun") {
    refuse("dev-type " + words[1], "only layer 3 tunnels (tun) are supported");
  }
  device_is_tun_ = true;
  leave_out("dev-type", "vpnrun makes the tunnel device");
}

void Parser::check_device() const {
  if (!device_.empty() && !device_is_tun_) {
    throw Error(
        formatted("cannot tell the type of device '{}': expected 'dev tun' or "
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
      return leave_out("setenv opt", "no script runs that could use it");
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
  if (words[1] == "FORWARD_COMPATIBLE" && words.size() == 3 && words[2] == "1") {
    forward_compatible_ = true;
  }
  if (is_harmless_variable(words[1])) {
    return pass(words);
  }
  leave_out("setenv " + words[1], "no script runs that could use it");
}

}  // namespace

OpenvpnConfig parse_openvpn_config(std::string_view text, const std::string& path,
                                   const FileReader& read_file) {
  return Parser(text, path, read_file).run();
}

OpenvpnConfig parse_openvpn_client(std::string_view text, const std::string& path,
                                   const FileReader& read_file, const FurtherCheck& further) {
  return Parser(text, path, read_file).run_as_client(further);
}

}  // namespace vpnrun::profile
