// SPDX-License-Identifier: GPL-2.0-or-later
// A provider's .ovpn, through the allow-list, to the text that OpenVPN gets on standard input.
//
// Held: nothing but Error is thrown, and it can be shown. What is accepted is read once more here,
// as OpenVPN reads it (lines of 255 bytes, quotes, backslashes, inline blocks), by a reader of its
// own: it finds our own directives first and then only ones that the table passes, with arguments;
// none of a list of what runs, loads, writes or changes the way out; no file is named. The
// allow-list takes its own output and changes nothing in it.
//
// Input: the file. A file that it names is the same text if its name ends in "x", else one with a
// part of each kind.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"
#include "profiles/openvpn_directives.h"
#include "systemd/service/client/openvpn/process.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::profile;
using fuzz::hold;

using Words = std::vector<std::string>;

constexpr const char* kPem =
    "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
    "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"
    "-----BEGIN X509 CRL-----\nTUlJ\n-----END X509 CRL-----\n"
    "-----BEGIN OpenVPN Static key V1-----\nTUlJ\n-----END OpenVPN Static key V1-----\n"
    "-----BEGIN OpenVPN tls-crypt-v2 client key-----\nTUlJ\n"
    "-----END OpenVPN tls-crypt-v2 client key-----\n";
/// Stands for the content of a block: no word of a line can be this.
constexpr const char* kBlock = "\n";

/// Known by heart, not from the table: a mistake in the table is to be found, too.
constexpr std::array kNever = {"up",
                               "down",
                               "route-up",
                               "route-pre-down",
                               "ipchange",
                               "tls-verify",
                               "auth-user-pass-verify",
                               "client-connect",
                               "client-disconnect",
                               "client-crresponse",
                               "learn-address",
                               "tls-crypt-v2-verify",
                               "iproute",
                               "script-security",
                               "plugin",
                               "engine",
                               "pkcs11-providers",
                               "pkcs11-id",
                               "pkcs11-id-management",
                               "config",
                               "cd",
                               "chroot",
                               "tmp-dir",
                               "log",
                               "log-append",
                               "status",
                               "writepid",
                               "memstats",
                               "replay-persist",
                               "tls-export-cert",
                               "capath",
                               "askpass",
                               "auth-user-pass",
                               "daemon",
                               "syslog",
                               "inetd",
                               "user",
                               "group",
                               "setcon",
                               "nice",
                               "gremlin",
                               "mktun",
                               "rmtun",
                               "genkey",
                               "management",
                               "management-client",
                               "management-client-auth",
                               "management-client-user",
                               "management-client-group",
                               "management-external-key",
                               "management-external-cert",
                               "management-hold",
                               "management-query-passwords",
                               "management-query-proxy",
                               "management-query-remote",
                               "management-up-down",
                               "management-log-cache",
                               "remote",
                               "proto",
                               "proto-force",
                               "port",
                               "rport",
                               "http-proxy",
                               "socks-proxy",
                               "ip-remote-hint",
                               "dev",
                               "dev-type",
                               "dev-node",
                               "mark",
                               "bind-dev",
                               "route",
                               "redirect-gateway",
                               "server",
                               "dns-updown",
                               "ignore-unknown-option"};

/// Reads a configuration as OpenVPN 2.6 does; aborts on what OpenVPN would not read.
class OpenvpnReader {
 public:
  explicit OpenvpnReader(std::string_view text) : rest_(text) {}

  std::vector<Words> run() {
    std::vector<Words> directives;
    while (const auto line = next()) {
      Words words = split(*line);
      if (words.empty()) {
        continue;
      }
      if (words[0].size() >= 3 && words[0].starts_with("--")) {
        words[0].erase(0, 2);
      }
      if (words.size() == 1 && words[0].front() == '<' && words[0].back() == '>') {
        const std::string name = words[0].substr(1, words[0].size() - 2);
        skip_block("</" + name + ">");
        words = {name, kBlock};
      }
      directives.push_back(words);
    }
    return directives;
  }

 private:
  static bool is_space(char c) { return c == '\0' || c == ' ' || (c >= '\t' && c <= '\r'); }

  /// Up to and with the line end, but at most 255 bytes: the rest is the next line.
  std::optional<std::string_view> next() {
    if (rest_.empty()) {
      return std::nullopt;
    }
    std::string_view line = rest_.substr(0, 255);
    line = line.substr(0, line.find('\n') == line.npos ? line.npos : line.find('\n') + 1);
    rest_.remove_prefix(line.size());
    return line.substr(0, line.find('\0'));
  }

  void skip_block(std::string_view end) {
    while (const auto line = next()) {
      const auto* const first = std::find_if_not(line->begin(), line->end(), is_space);
      if (line->substr(static_cast<std::size_t>(first - line->begin())).starts_with(end)) {
        return;
      }
    }
    hold(false, "a block is closed");
  }

  static Words split(std::string_view line) {
    enum class State : std::uint8_t { kBetween, kPlain, kDouble, kSingle };
    Words words;
    State state = State::kBetween;
    bool escaped = false;
    std::string text(line);
    text += '\0';  // it is a blank for OpenVPN
    for (const char c : text) {
      if (!escaped && c == '\\' && state != State::kSingle) {
        escaped = true;
        continue;
      }
      hold(!escaped || c == '\\' || c == '"' || is_space(c), "a backslash that OpenVPN takes");
      const bool blank = is_space(c) && !escaped;
      const bool mark = !escaped && ((c == '"' && state != State::kSingle) ||
                                     (c == '\'' && state != State::kDouble));
      escaped = false;
      if (state == State::kBetween) {
        if (c == '#' || c == ';') {
          return words;
        }
        if (blank) {
          continue;
        }
        words.emplace_back();
        hold(words.size() <= 16, "as many words as OpenVPN takes");
        state = !mark ? State::kPlain : c == '"' ? State::kDouble : State::kSingle;
        if (mark) {
          continue;
        }
      } else if ((state == State::kPlain && blank) || (state != State::kPlain && mark)) {
        state = State::kBetween;
        continue;
      }
      words.back() += c;
    }
    hold(state == State::kBetween && !escaped, "every quotation mark is closed");
    return words;
  }

  std::string_view rest_;
};

void hold_setenv(const Words& words);

void hold_directive(const Words& words) {
  const std::string& name = words.front();
  hold(std::find(kNever.begin(), kNever.end(), name) == kNever.end(), "nothing forbidden survives");
  const bool is_block = words.size() == 2 && words[1] == kBlock;
  const Directive* known = find_directive(name);
  hold(known != nullptr, "only known directives survive");
  switch (known->treatment) {
    case Treatment::kPass:
    case Treatment::kPassIfKnown:
    case Treatment::kAddresses:
      hold(!is_block, "no block of a directive that has none");
      return;
    case Treatment::kPem:
    case Treatment::kPemDirection:
    case Treatment::kPemNumber:
    case Treatment::kPemCookie:
    case Treatment::kPkcs12:
      return hold(is_block, "OpenVPN is given no name of a file");
    case Treatment::kFingerprints:
      return;
    case Treatment::kKeyDirection:
      return hold(words.size() == 2 && (words[1] == "0" || words[1] == "1"), "a direction");
    case Treatment::kVerb:
      return hold(words.size() == 2 && (words[1].size() == 1 || words[1].front() == '0') &&
                      words[1].back() <= '6',
                  "no level that logs keys");
    case Treatment::kProviders:
      return hold(std::none_of(words.begin() + 1, words.end(),
                               [](const std::string& word) {
                                 return word.find_first_of("/.") != std::string::npos;
                               }),
                  "no provider from a path");
    case Treatment::kSetenv:
      return hold_setenv(words);
    default:
      hold(false, "only what the table passes survives");
  }
}

void hold_setenv(const Words& words) {
  hold(words.size() >= 2, "setenv has a name");
  if (words[1] == "opt") {
    hold(words.size() > 2, "setenv opt has a directive");
    return hold_directive(Words(words.begin() + 2, words.end()));
  }
  hold(words[1].starts_with("UV_") || words[1].starts_with("IV_") ||
           words[1] == "FORWARD_COMPATIBLE" || words[1] == "CLIENT_CERT",
       "no variable that something obeys");
}

void hold_config(const OpenvpnConfig& config, const std::string& path) {
  const std::vector<Endpoint> endpoints = {
      {*IpAddress::parse("198.51.100.10"), Transport::kUdp, 1194}};
  const auto options = [&](const std::string& text) {
    OpenvpnConfig handed = config;
    handed.text = text;
    return OpenvpnReader(service::openvpn::client_options(handed, endpoints, "tun0", "/run/m"))
        .run();
  };
  // fast-io depends on what follows.
  auto ours = options(config.text.find("shaper") != std::string::npos ? "# shaper\n" : "");
  auto all = options(config.text);
  // What makes OpenVPN speak is ours alone, and last.
  const Words mute{"mute", "0"};
  const Words verb{"verb", "3"};
  for (auto* const some : {&all, &ours}) {
    hold(some->back() == mute && some->at(some->size() - 2) == verb,
         "our own directives come last");
    some->resize(some->size() - 2);
  }
  hold(std::none_of(
           all.begin(), all.end(),
           [](const Words& words) { return words.front() == "verb" || words.front() == "mute"; }),
       "nothing else makes it silent");
  hold(all.size() >= ours.size() && std::equal(ours.begin(), ours.end(), all.begin()),
       "our own directives come first");
  std::for_each(all.begin() + static_cast<std::ptrdiff_t>(ours.size()), all.end(), hold_directive);

  hold(!config.remotes.empty(), "there is a server");
  for (const Remote& remote : config.remotes) {
    hold(remote.port != 0, "a server");
    hold(!remote.host.empty() && remote.host.find_first_of(" \t\n\"'\\#") == std::string::npos,
         "a host is one word");
  }
  for (const LeftOut& entry : config.left_out) {
    hold(find_unprintable(entry.directive + entry.reason) == std::string::npos,
         "what is left out can be shown");
    hold(entry.lines.size() == 1 && !entry.reason.empty(), "it has a line and a reason");
  }
  for (const LeftOut& entry : merged(config.left_out, 10)) {
    hold(!describe(std::span(&entry, 1)).empty(), "it can be told");
  }
  hold(config.user_pass_file.empty() == (config.user_pass_line == 0), "a login has its line");

  const auto again =
      parse_openvpn_config("remote a\n" + config.text, path, [](auto, const auto& file) {
        hold(false, "the output names no file");
        return file;
      });
  hold(again.text == config.text, "the allow-list takes its own output as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string path = "/p/work.ovpn";
  std::optional<OpenvpnConfig> config;
  try {
    config = parse_openvpn_config(
        text, path, [&text](std::string_view directive, const std::string& file) {
          hold(find_directive(directive) != nullptr, "a known directive names the file");
          return file.ends_with('x') ? text : std::string(kPem);
        });
  } catch (const Error& error) {
    fuzz::hold_message(error);
    return 0;
  }
  try {
    check_client_config(*config, path);
  } catch (const Error& error) {
    fuzz::hold_message(error);
  }
  hold_config(*config, path);
  return 0;
}
