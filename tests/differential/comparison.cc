// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/comparison.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/ranges.h>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::differential {
namespace {

using profile::OpenvpnConfig;
using profile::Remote;
using Kind = Verdict::Kind;

Verdict different(std::string what) {
  return {Kind::kDifferent, std::move(what)};
}

/// Settings of directives that the companion gives itself, or that are left out and said to be:
/// what OpenvpnConfig::left_out is for. A connection's are without its number.
// NOLINTNEXTLINE(readability-function-size): a list
bool is_ours(const std::string& setting) {
  static const std::set<std::string, std::less<>> settings = {"local",
                                                              "local_port",
                                                              "bind_defined",
                                                              "bind_local",
                                                              "bind_ipv6_only",
                                                              "remote_float",
                                                              "connect_retry_seconds",
                                                              "connect_retry_max",
                                                              "resolve_retry_seconds",
                                                              "resolve_in_advance",
                                                              "remote",
                                                              "remote_port",
                                                              "proto",
                                                              "remote_random",
                                                              "dev_node",
                                                              "lladdr",
                                                              "persist_tun",
                                                              "persist_local_ip",
                                                              "persist_remote_ip",
                                                              "persist_key",
                                                              "username",
                                                              "groupname",
                                                              "mlock",
                                                              "nice",
                                                              "daemon",
                                                              "log",
                                                              "suppress_timestamps",
                                                              "machine_readable_output",
                                                              "status_file_version",
                                                              "route_default_gateway",
                                                              "route_default_metric",
                                                              "route_noexec",
                                                              "route_delay",
                                                              "route_delay_window",
                                                              "route_delay_defined",
                                                              "route_nopull",
                                                              "ifconfig_noexec",
                                                              "ifconfig_nowarn",
                                                              "allow_pull_fqdn",
                                                              "sockflags",
                                                              "remap_sigusr1",
                                                              "down_pre",
                                                              "up_restart",
                                                              "up_delay",
                                                              "mark",
                                                              "route_gateway_via_dhcp",
                                                              "http_proxy_retry",
                                                              "up_script",
                                                              "down_script",
                                                              "route_script",
                                                              "ipchange",
                                                              "dh_file",
                                                              "max_clients",
                                                              "max_routes_per_client",
                                                              "n_bcast_buf",
                                                              "tcp_queue_limit",
                                                              "gremlin",
                                                              "chroot_dir",
                                                              "cd_dir",
                                                              "tmp_dir",
                                                              "writepid",
                                                              "status_file",
                                                              "packet_id_file",
                                                              "push_entry",
                                                              "cf_initial_max",
                                                              "cf_initial_per"};
  std::string_view name = setting;
  if (name.starts_with("connection ")) {
    name.remove_prefix(name.find(": ") + 2);
  }
  name = name.substr(0, name.find(" #"));
  return settings.contains(name) || name.starts_with("route ") ||
         name.find('=') != std::string::npos;
}

/// A file becomes a block; that there is one is what the settings show.
std::string shown_setting(const std::string& name, const std::string& value) {
  constexpr unsigned long kLogsKeys = 0x4000;  // of 'verb' from 8 on, which is left out
  if (name == "ssl_flags") {
    return std::to_string(std::strtoul(value.c_str(), nullptr, 10) & ~kLogsKeys);
  }
  return name.ends_with("_file") && value != "'[UNDEF]'" ? "given" : value;
}

/// What each entry names, a word or two ("setenv NAME").
std::vector<std::string> left_out(const OpenvpnConfig& config) {
  std::vector<std::string> names;
  for (const LeftOut& entry : config.left_out) {
    names.push_back(entry.directive);
  }
  return names;
}

/// Whether a setting of a connection was left out of all or comes too late for them, and OpenVPN
/// derives others from it (the MSS from the MTU, for one).
bool is_of_late_setting(const std::string& setting, const std::vector<std::string>& names) {
  constexpr std::array<std::string_view, 12> kLate = {"mssfix",
                                                      "tun-mtu",
                                                      "fragment",
                                                      "link-mtu",
                                                      "tun-mtu-extra",
                                                      "tun-mtu-max",
                                                      "max-packet-size",
                                                      "mtu-disc",
                                                      "connect-timeout",
                                                      "udp-mtu",
                                                      "server-poll-timeout",
                                                      "explicit-exit-notify"};
  constexpr std::array<std::string_view, 8> kSettings = {"mssfix",
                                                         "tun_mtu",
                                                         "fragment",
                                                         "link_mtu",
                                                         "mtu_discover",
                                                         "connect_timeout",
                                                         "explicit_exit_notification",
                                                         "max_packet"};
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) {
                       return std::find(kLate.begin(), kLate.end(), name) != kLate.end();
                     }) &&
         std::any_of(kSettings.begin(), kSettings.end(), [&setting](std::string_view one) {
           return setting.find(one) != std::string::npos;
         });
}

/// Whether OpenVPN would write, open or change something as soon as it reads the file. Such lines
/// are left out of what is handed on; the file itself is not shown to OpenVPN here.
bool acts_at_once(const OpenvpnConfig& config) {
  const std::vector<std::string> names = left_out(config);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    constexpr std::array<std::string_view, 12> kActs = {
        "log",     "log-append",     "status",          "writepid", "cd",     "chroot",
        "tmp-dir", "replay-persist", "tls-export-cert", "memstats", "setcon", "gremlin"};
    return std::find(kActs.begin(), kActs.end(), name) != kActs.end() ||
           name.starts_with("management");
  });
}

/// Each server has the direction of its key with that; the client's own is for static keys.
bool has_control_key(const Seen& seen) {
  return std::any_of(seen.settings.begin(), seen.settings.end(), [](const auto& setting) {
    return setting.first.starts_with("connection ") && setting.first.ends_with("_file") &&
           setting.second != "'[UNDEF]'";
  });
}

std::string compare_settings(const Seen& original, const Seen& handed,
                             const OpenvpnConfig& config) {
  const std::vector<std::string> names = left_out(config);
  if (original.settings.size() < 100) {
    return "too few settings to compare";
  }
  for (const auto& [name, value] : original.settings) {
    const auto found = handed.settings.find(name);
    const std::string other = found == handed.settings.end() ? "nothing" : found->second;
    const bool is_without_effect = name == "key_direction" && has_control_key(original);
    if (!is_ours(name) && !is_of_late_setting(name, names) && !is_without_effect &&
        shown_setting(name, value) != shown_setting(name, other)) {
      return formatted("setting {}: OpenVPN has {} of the file and {} of what is handed on", name,
                       value, other);
    }
  }
  return {};
}

bool is_compared_variable(std::string_view name) {
  return name.starts_with("UV_") || name.starts_with("IV_") || name == "CLIENT_CERT" ||
         name == "FORWARD_COMPATIBLE" || name.starts_with("foreign_option_");
}

/// A line that is left out, and said to be, may be one that OpenVPN cannot read; and it knows no
/// way to force TCP on a client but by the name that the option's manual does not give.
bool is_lenient(const std::string& refusal, const OpenvpnConfig& config) {
  if (refusal == "No usable connection profiles are present") {
    return true;
  }
  const auto lines = left_out(config);
  // A script that is not there: OpenVPN's message about it comes before its last one.
  constexpr std::array<std::string_view, 6> kScripts = {"up",       "down",           "route-up",
                                                        "ipchange", "route-pre-down", "iproute"};
  if (refusal.starts_with("Options error: Please correct") &&
      std::any_of(lines.begin(), lines.end(), [&kScripts](const std::string& name) {
        return std::find(kScripts.begin(), kScripts.end(), name) != kScripts.end();
      })) {
    return true;
  }
  return std::any_of(lines.begin(), lines.end(), [&refusal](const std::string& text) {
    const std::string name = text.substr(0, text.find(' '));
    return refusal.find("--" + name) != std::string::npos ||
           refusal.find(": " + name + " (") != std::string::npos ||
           (name == "setenv" && refusal.find("env_set.c") != std::string::npos);
  });
}

/// OpenVPN drops other characters from the name of a variable.
std::string variable_of(std::string text) {
  text.erase(0, text.starts_with("setenv ") ? std::string_view("setenv ").size() : text.size());
  std::erase_if(text, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  return text;
}

/// Variables that are left out, and said to be, would have gone to scripts or to the server.
void drop_left_out(Seen& seen, const OpenvpnConfig& config) {
  for (const std::string& name : left_out(config)) {
    seen.environment.erase(variable_of(name));
  }
}

std::string compare_environment(const Seen& one, const Seen& other) {
  for (const auto& [name, value] : one.environment) {
    const auto found = other.environment.find(name);
    if (is_compared_variable(name) &&
        (found == other.environment.end() || found->second != value)) {
      return formatted("variable {}: '{}' and {}", name, value,
                       found == other.environment.end() ? "none" : "'" + found->second + "'");
    }
  }
  return {};
}

std::string text_of(const std::vector<Remote>& remotes) {
  std::string text;
  for (const Remote& remote : remotes) {
    text += formatted("remote {} {} {}\n", remote.host, remote.port,
                      remote.transport == Transport::kTcp ? "tcp-client" : "udp");
  }
  return text;
}

/// Servers of the other protocol are among OpenVPN's, marked as not to be used; the mark is not
/// shown.
std::string compare_remotes(std::vector<Remote> theirs, std::vector<Remote> ours, bool forced) {
  for (Remote& remote : ours) {
    remote.random_label = false;  // OpenVPN does not show it
  }
  if (forced && !ours.empty()) {
    std::erase_if(theirs, [&](const Remote& r) { return r.transport != ours.front().transport; });
  }
  return theirs == ours
             ? ""
             : formatted("servers: OpenVPN has\n{}and ours\n{}", text_of(theirs), text_of(ours));
}

std::optional<OpenvpnConfig> ours(std::string_view text, const std::string& folder,
                                  std::string* refusal = nullptr) {
  try {
    const auto read = [&folder](std::string_view, const std::string& name) {
      return read_file(name.starts_with('/') ? name : folder + "/" + name);
    };
    return profile::parse_openvpn_config(text, folder + "/x.ovpn", read);
  } catch (const Error& error) {
    if (refusal != nullptr) {
      *refusal = error.what();
    }
    return std::nullopt;
  }
}

}  // namespace

std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file.is_open() || !(text << file.rdbuf())) {
    throw Error(formatted("cannot read '{}'", printable(path)));
  }
  return text.str();
}

std::optional<std::vector<Words>> split_text(std::string_view text) {
  std::vector<Words> lines;
  try {
    profile::LineReader reader(text);
    while (const std::optional<std::string_view> line = reader.next()) {
      if (reader.too_long() || line->find('\0') != std::string_view::npos) {
        return std::nullopt;
      }
      lines.push_back(profile::split_words(*line));
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return lines;
}

std::optional<std::vector<Words>> split_text_wrongly(std::string_view text) {
  constexpr char kStandIn = '`';
  std::string other(text);
  std::replace(other.begin(), other.end(), '\'', kStandIn);
  std::optional<std::vector<Words>> lines = split_text(other);
  for (Words& words : lines ? *lines : std::vector<Words>()) {
    for (std::string& word : words) {
      std::replace(word.begin(), word.end(), kStandIn, '\'');
    }
  }
  return lines;
}

std::string quote_wrongly(std::string_view text) {
  std::string quoted = "\"x\\";  // in each, so that each is a mistake
  for (const char c : text) {
    if (c != '"' && c != '\n') {
      quoted += c;
    }
  }
  return quoted + '"';
}

Verdict compare_password(ManagementClient& openvpn, std::string_view text, Quote quote) {
  std::string quoted;
  try {
    quoted = quote(text);
  } catch (const Error&) {
    return {};
  }
  const std::optional<std::string> seen = openvpn.argument(quoted);
  return seen == text ? Verdict{Kind::kSame, {}}
                      : different("password: OpenVPN reads " + seen.value_or("no argument"));
}

Verdict compare_words(OpenvpnProgram& openvpn, std::string_view text, Splitter splitter) {
  std::optional<std::vector<Words>> lines = splitter(text);
  if (!lines) {
    return {};
  }
  std::erase_if(*lines, [](const Words& words) { return words.empty() || words[0] != "plugin"; });
  const Seen seen = openvpn.read(text);
  if (!seen.refusal.empty()) {
    return different("ours takes lines that OpenVPN refuses: " + seen.refusal);
  }
  if (seen.plugins.size() != lines->size()) {
    return different(
        formatted("{} lines, of which OpenVPN sees {}", lines->size(), seen.plugins.size()));
  }
  for (std::size_t i = 0; i < lines->size(); ++i) {
    const Words& words = (*lines)[i];
    if (!std::equal(words.begin() + 1, words.end(), seen.plugins[i].begin(),
                    seen.plugins[i].end())) {
      return different(formatted("words: OpenVPN reads [{}] and ours [{}]",
                                 fmt::join(seen.plugins[i], "] ["), fmt::join(words, "] [")));
    }
  }
  return {Kind::kSame, {}};
}

Verdict compare_file(OpenvpnProgram& openvpn, std::string_view text, const std::string& folder,
                     void (*spoil)(OpenvpnConfig&)) {
  std::optional<OpenvpnConfig> config = ours(text, folder);
  if (!config || acts_at_once(*config)) {
    return {};
  }
  if (spoil != nullptr) {
    spoil(*config);
  }
  Seen original = openvpn.read(text);
  drop_left_out(original, *config);
  Seen handed = openvpn.read(text_of(config->remotes) + config->text);
  drop_left_out(handed, *config);
  if (!original.refusal.empty()) {
    if (is_lenient(original.refusal, *config)) {
      return {Kind::kLenient, original.refusal};
    }
    return original.refusal == handed.refusal
               ? Verdict{Kind::kBothRefuse, {}}
               : different(formatted("OpenVPN refuses the file ({}) and, of what is handed on, {}",
                                     original.refusal,
                                     handed.refusal.empty() ? "nothing" : handed.refusal));
  }
  if (!handed.refusal.empty()) {
    return different("OpenVPN refuses what is handed on: " + handed.refusal);
  }
  for (const std::string& what :
       {original.ending == handed.ending ? ""
                                         : "endings: " + original.ending + " / " + handed.ending,
        compare_remotes(original.remotes, config->remotes,
                        text.find("proto-force") != std::string_view::npos),
        compare_environment(original, handed), compare_environment(handed, original),
        original.remotes.size() == handed.remotes.size()
            ? compare_settings(original, handed, *config)
            : std::string()}) {
    if (!what.empty()) {
      return different(what);
    }
  }
  return {Kind::kSame, {}};
}

Verdict compare_strictness(OpenvpnProgram& openvpn, std::string_view text,
                           const std::string& folder) {
  const Seen seen = openvpn.read(text);
  if (!seen.refusal.empty()) {
    return {Kind::kBothRefuse, seen.refusal};
  }
  std::string refusal;
  return ours(text, folder, &refusal) ? Verdict{Kind::kSame, {}} : Verdict{Kind::kStrict, refusal};
}

}  // namespace vpnrun::differential
