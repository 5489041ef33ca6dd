// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/unreachable.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "launcher/launch_environment.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"

namespace vpnrun {
namespace {

using std::string_view;

/// How a variable names where a service listens.
enum class Form : std::uint8_t {
  kUrl,         ///< "http://LOGIN@HOST:PORT", "tcp://HOST:PORT", "HOST:PORT", a path
  kPulse,       ///< several with blanks between them: "{MACHINE}unix:PATH", "tcp:HOST:PORT", "HOST"
  kDbus,        ///< several with ';' between them: "unix:abstract=NAME,guid=…"
  kSession,     ///< several with ',' between them: "local/HOST:@NAME", "unix/HOST:PATH"
  kSocketName,  ///< "@NAME" or a path
};

struct Variable {
  const char* name;
  Form form;
  const char* hint;
};

constexpr const char* kProxyHint =
    "start without it ('env -u {} vpnrun …'), or start the proxy inside as well";
constexpr const char* kBusHint =
    "if '$XDG_RUNTIME_DIR/bus' exists: {}=unix:path=$XDG_RUNTIME_DIR/bus; otherwise a bus inside: "
    "'vpnrun dbus-run-session COMMAND'";

constexpr std::array kVariables = {
    Variable{"http_proxy", Form::kUrl, kProxyHint},
    Variable{"HTTP_PROXY", Form::kUrl, kProxyHint},
    Variable{"https_proxy", Form::kUrl, kProxyHint},
    Variable{"HTTPS_PROXY", Form::kUrl, kProxyHint},
    Variable{"ftp_proxy", Form::kUrl, kProxyHint},
    Variable{"FTP_PROXY", Form::kUrl, kProxyHint},
    Variable{"all_proxy", Form::kUrl, kProxyHint},
    Variable{"ALL_PROXY", Form::kUrl, kProxyHint},
    Variable{"PULSE_SERVER", Form::kPulse,
             "the sound server's path is reached: {}=unix:$XDG_RUNTIME_DIR/pulse/native"},
    Variable{"MPD_HOST", Form::kUrl, "a path is reached: {}=/run/mpd/socket"},
    Variable{"CUPS_SERVER", Form::kUrl, "a path is reached: {}=/run/cups/cups.sock"},
    Variable{"DOCKER_HOST", Form::kUrl,
             "a path is reached: {}=unix:///run/docker.sock; its containers have the machine's "
             "network in any case"},
    Variable{"DBUS_SESSION_BUS_ADDRESS", Form::kDbus, kBusHint},
    Variable{"AT_SPI_BUS_ADDRESS", Form::kDbus,
             "start without it ('env -u {} vpnrun …'): the accessibility bus is then found by the "
             "session bus"},
    Variable{"IBUS_ADDRESS", Form::kDbus,
             "start the input method with a path: 'ibus-daemon -drx --address "
             "\"unix:dir=$XDG_RUNTIME_DIR\"'"},
    Variable{"SESSION_MANAGER", Form::kSession,
             "programs work without it: 'env -u {} vpnrun …'; they only do not save their state "
             "at the end of the session"},
    Variable{"NOTIFY_SOCKET", Form::kSocketName,
             "whoever supervises this command has to listen at a path to hear that it is ready"},
};

template <class Body>
void for_each_part(string_view list, string_view separators, Body body) {
  while (!list.empty()) {
    const string_view part = list.substr(0, list.find_first_of(separators));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    if (!part.empty()) {
      body(part);
    }
  }
}

/// What a variable leads to, as far as a profile is concerned.
struct Target {
  enum class Kind : std::uint8_t { kOther, kLoopback, kAbstract };
  Kind kind = Kind::kOther;
  std::string name;  ///< the host with its port, or "@NAME"; fit for a person
};

Target loopback_target(string_view host, string_view name) {
  return is_this_machine(host) ? Target{Target::Kind::kLoopback, printable(name)} : Target{};
}

/// Without login and path.
string_view host_and_port(string_view url) noexcept {
  if (const std::size_t scheme = url.find("://"); scheme != string_view::npos) {
    url.remove_prefix(scheme + 3);
  } else if (url.starts_with('/') || url.starts_with("unix:") || url.starts_with('@')) {
    return {};
  }
  url = url.substr(0, url.find_first_of("/?#"));
  return url.substr(url.rfind('@') + 1);
}

string_view without_port(string_view host) noexcept {
  if (host.starts_with('[')) {
    return host.substr(1, host.find(']') - 1);
  }
  // More than one colon and no brackets: an IPv6 address.
  const std::size_t colon = host.find(':');
  return colon == host.rfind(':') ? host.substr(0, colon) : host;
}

Target pulse_target(string_view server) {
  if (server.starts_with('{')) {
    server.remove_prefix(std::min(server.find('}'), server.size() - 1) + 1);
  }
  for (const string_view transport : {"tcp:", "tcp4:", "tcp6:"}) {
    if (server.starts_with(transport)) {
      server.remove_prefix(transport.size());
    }
  }
  return loopback_target(host_in_url(server), host_and_port(server));
}

/// One address of the D-Bus specification: TRANSPORT:KEY=VALUE,KEY=VALUE.
Target dbus_target(string_view address, UnixSockets& sockets) {
  const string_view transport = address.substr(0, address.find(':'));
  string_view host;
  string_view port;
  string_view abstract;
  for_each_part(address.substr(std::min(transport.size() + 1, address.size())), ",",
                [&](string_view pair) {
                  const string_view key = pair.substr(0, pair.find('='));
                  const string_view value = pair.substr(std::min(key.size() + 1, pair.size()));
                  host = key == "host" ? value : host;
                  port = key == "port" ? value : port;
                  abstract = key == "abstract" ? value : abstract;
                });
  if (transport == "tcp" || transport == "nonce-tcp") {
    return loopback_target(host, formatted("{}:{}", host, port));
  }
  const std::string name = formatted("@{}", abstract);
  // If nobody listens there outside, it may be one of the profile's own.
  return transport == "unix" && !abstract.empty() && sockets.listens(name)
             ? Target{Target::Kind::kAbstract, printable(name)}
             : Target{};
}

Target socket_target(string_view name, UnixSockets& sockets) {
  return name.starts_with('@') && sockets.listens(name)
             ? Target{Target::Kind::kAbstract, printable(name)}
             : Target{};
}

Target session_target(string_view address, UnixSockets& sockets) {
  const std::size_t colon = address.find(':');
  const string_view transport = address.substr(0, address.find('/'));
  if (colon == string_view::npos) {
    return {};
  }
  if (transport == "tcp") {
    const string_view place = address.substr(transport.size() + 1);
    return loopback_target(without_port(place), place);
  }
  return socket_target(address.substr(colon + 1), sockets);
}

/// Of the first target, if a program can reach none of them.
Target target_of(const Variable& variable, string_view value, UnixSockets& sockets) {
  std::vector<Target> targets;
  const auto add = [&targets](Target target) { targets.push_back(std::move(target)); };
  switch (variable.form) {
    case Form::kUrl:
      add(loopback_target(host_in_url(value), host_and_port(value)));
      break;
    case Form::kPulse:
      for_each_part(value, " \t", [&](string_view part) { add(pulse_target(part)); });
      break;
    case Form::kDbus:
      for_each_part(value, ";", [&](string_view part) { add(dbus_target(part, sockets)); });
      break;
    case Form::kSession:
      for_each_part(value, ",", [&](string_view part) { add(session_target(part, sockets)); });
      break;
    case Form::kSocketName:
      add(socket_target(value, sockets));
      break;
  }
  const bool none = std::none_of(targets.begin(), targets.end(), [](const Target& target) {
    return target.kind == Target::Kind::kOther;
  });
  return none && !targets.empty() ? targets.front() : Target{};
}

std::string loopback_text(string_view what, const std::string& profile) {
  return formatted("{} is a port of this machine's loopback, which profile '{}' does not reach",
                   what, profile);
}

std::string abstract_text(string_view what, const std::string& profile) {
  return formatted(
      "{} is an abstract Unix socket of the machine's network, which profile '{}' does not reach",
      what, profile);
}

void add_variables(const std::string& profile, char* const* environment, UnixSockets& sockets,
                   std::vector<Warning>& warnings) {
  std::vector<std::pair<const char*, std::string>> told;  // by hint and target
  for (const Variable& variable : kVariables) {
    const char* value = environment_value(environment, variable.name);
    const Target target = value == nullptr ? Target{} : target_of(variable, value, sockets);
    const std::pair key{variable.hint, target.name};
    if (target.kind == Target::Kind::kOther ||
        std::find(told.begin(), told.end(), key) != told.end()) {
      continue;  // https_proxy as a rule is what http_proxy is
    }
    told.push_back(key);
    const std::string what = formatted("{} ({})", variable.name, target.name);
    warnings.push_back({target.kind == Target::Kind::kLoopback ? loopback_text(what, profile)
                                                               : abstract_text(what, profile),
                        formatted(fmt::runtime(variable.hint), variable.name)});
  }
}

// --- X ---

/// "HOST:NUMBER.SCREEN", "HOST/unix:NUMBER", "tcp/HOST:NUMBER", "/PATH:NUMBER"; X(7).
struct Display {
  std::string host;  ///< empty: local
  std::string number;
};

std::optional<Display> parse_display(string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == string_view::npos || text.starts_with('/') || text.starts_with("unix:/")) {
    return std::nullopt;  // a path, or nothing that X knows
  }
  string_view number = text.substr(colon + 1);
  number = number.substr(0, number.find('.'));
  const bool is_number =
      !number.empty() && number.size() <= 5 &&
      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) {
    return std::nullopt;
  }
  string_view host = text.substr(0, colon);
  if (host.ends_with("/unix") || host == "unix") {
    host = {};
  } else if (const std::size_t protocol = host.find('/'); protocol != string_view::npos) {
    host.remove_prefix(protocol + 1);
  }
  return Display{std::string(host), std::string(number)};
}

void add_display(const std::string& profile, string_view value, const Places& places,
                 UnixSockets& sockets, std::vector<Warning>& warnings) {
  const auto display = parse_display(value);
  if (!display) {
    return;
  }
  const std::string what = "DISPLAY=" + printable(value);
  const std::string path = formatted("{}/X{}", places.x11_sockets, display->number);
  if (display->host.empty()) {
    // The libraries try the abstract name first and then the path.
    if (::access(path.c_str(), F_OK) != 0 && sockets.listens("@" + path)) {
      warnings.push_back({abstract_text(what, profile),
                          formatted("give it a path: 'socat UNIX-LISTEN:{0},fork "
                                    "ABSTRACT-CONNECT:{0} &'; or start the X server with '-listen "
                                    "unix'",
                                    path)});
    }
    return;
  }
  constexpr unsigned kFirstPort = 6000;
  unsigned number = 0;
  (void)std::from_chars(display->number.data(), display->number.data() + display->number.size(),
                        number);
  const std::string hint = formatted(
      "give it a path: 'socat UNIX-LISTEN:{},mode=600,fork TCP:{}:{} &', then 'DISPLAY=:{} vpnrun "
      "…'; or use xpra instead of 'ssh -X'",
      path, printable(display->host), kFirstPort + number, display->number);
  if (is_this_machine(without_port(display->host))) {
    warnings.push_back({loopback_text(what, profile), hint});
  } else {
    warnings.push_back(
        {formatted("{} is the display of another computer: profile '{}' reaches it through its "
                   "tunnel or not at all",
                   what, profile),
         hint});
  }
}

// --- ibus ---

bool names_ibus(char* const* environment) {
  constexpr std::array kNames = {"GTK_IM_MODULE", "QT_IM_MODULE", "XMODIFIERS"};
  return std::any_of(kNames.begin(), kNames.end(), [environment](const char* name) {
    const char* value = environment_value(environment, name);
    return value != nullptr && string_view(value).find("ibus") != string_view::npos;
  });
}

std::string read_or_nothing(const std::string& path) {
  constexpr std::size_t kMostBytes = 65536;
  try {
    return read_file(path, kMostBytes).value_or(std::string());
  } catch (const std::exception&) {
    return {};  // what is not known is not told
  }
}

/// Without IBUS_ADDRESS programs read it from a file: ~/.config/ibus/bus/MACHINE-HOST-DISPLAY.
std::string ibus_address(char* const* environment, const Places& places) {
  const auto value_of = [environment](const char* name) {
    const char* value = environment_value(environment, name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string configuration = value_of("XDG_CONFIG_HOME").empty()
                                        ? value_of("HOME") + "/.config"
                                        : value_of("XDG_CONFIG_HOME");
  std::string machine = read_or_nothing(places.machine_id);
  machine.resize(std::min(machine.find('\n'), machine.size()));
  std::vector<std::string> names;
  if (const std::string wayland = value_of("WAYLAND_DISPLAY"); !wayland.empty()) {
    names.push_back("unix-" + wayland);
  }
  if (const auto display = parse_display(value_of("DISPLAY"))) {
    names.push_back((display->host.empty() ? "unix" : display->host) + "-" + display->number);
  }
  for (const std::string& name : names) {
    const std::string text =
        read_or_nothing(formatted("{}/ibus/bus/{}-{}", configuration, machine, name));
    std::string address;
    for_each_part(text, "\n", [&address](string_view line) {
      constexpr string_view kName = "IBUS_ADDRESS=";
      if (line.starts_with(kName)) {
        address = line.substr(kName.size());
      }
    });
    if (!address.empty()) {
      return address;
    }
  }
  return {};
}

void add_ibus(const std::string& profile, char* const* environment, const Places& places,
              UnixSockets& sockets, std::vector<Warning>& warnings) {
  if (environment_value(environment, "IBUS_ADDRESS") != nullptr || !names_ibus(environment)) {
    return;
  }
  const auto* const ibus = std::find_if(
      kVariables.begin(), kVariables.end(),
      [](const Variable& variable) { return string_view(variable.name) == "IBUS_ADDRESS"; });
  const Target target = target_of(*ibus, ibus_address(environment, places), sockets);
  if (target.kind == Target::Kind::kAbstract) {
    warnings.push_back(
        {abstract_text("the input method ibus (" + target.name + ")", profile), ibus->hint});
  }
}

}  // namespace

string_view host_in_url(string_view url) noexcept {
  return without_port(host_and_port(url));
}

bool is_this_machine(string_view host) {
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto address = IpAddress::parse(name)) {
    return address->is_loopback() || *address == IpAddress() || address == IpAddress::parse("::");
  }
  utsname machine{};
  return name == "localhost" || name == "localhost.localdomain" || name.ends_with(".localhost") ||
         name == "ip6-localhost" || name == "ip6-loopback" ||
         (::uname(&machine) == 0 && !name.empty() &&
          name == static_cast<const char*>(machine.nodename));
}

std::vector<Warning> unreachable_inside(const std::string& profile, char* const* environment,
                                        const Places& places, UnixSockets& sockets) {
  std::vector<Warning> warnings;
  if (const char* display = environment_value(environment, "DISPLAY")) {
    add_display(profile, display, places, sockets, warnings);
  }
  add_variables(profile, environment, sockets, warnings);
  add_ibus(profile, environment, places, sockets, warnings);
  return warnings;
}

}  // namespace vpnrun
