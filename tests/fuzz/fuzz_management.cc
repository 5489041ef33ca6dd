// SPDX-License-Identifier: GPL-2.0-or-later
// What OpenVPN says on its management socket, and in it what the server chose.
//
// Held: nothing but Error is thrown; the events do not depend on where the stream is cut; what is
// kept stays below the bounds; settings are addresses, names and numbers that can be written into
// files; an argument that was quoted is read back byte for byte, or refused as too long; a
// challenge has a user name without control characters and comes back as the protocol has it.
//
// Input: a byte that says how to cut, then the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/base/error.h"
#include "profiles/base/ip_address.h"
#include "systemd/service/client/openvpn/management.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using namespace vpnrun::service::openvpn;
using fuzz::hold;

/// Those that the corpus has, and more.
const std::vector<Endpoint>& endpoints() {
  static const std::vector<Endpoint> endpoints = {
      {*IpAddress::parse("198.51.100.10"), Transport::kUdp, 1194},
      {*IpAddress::parse("10.1.0.2"), Transport::kTcp, 1194},
      {IpAddress(), Transport::kTcp, 0}};
  return endpoints;
}

void hold_settings(const std::map<std::string, std::string>& environment) {
  service::TunnelSettings settings;
  try {
    settings = settings_from_environment(environment, endpoints());
  } catch (const Error&) {
    return;
  }
  hold(!settings.addresses.empty() && settings.addresses.size() <= 2, "one address a family");
  hold(settings.addresses.front().address.family() != settings.addresses.back().address.family() ||
           settings.addresses.size() == 1,
       "one address a family");
  for (const Prefix& address : settings.addresses) {
    hold(address.length <= address.address.bit_count(), "a possible length");
  }
  hold(settings.resolvers.size() <= 8 && settings.search_domains.size() <= 8, "few resolvers");
  for (const std::string& domain : settings.search_domains) {
    hold(!domain.empty() && domain.size() <= 253 &&
             domain.find_first_of(" \t\r\n\v\f\"';#/\\") == std::string::npos &&
             domain.find('\0') == std::string::npos,
         "a search domain is one word");
  }
  hold(settings.mtu == 0 || (settings.mtu >= 576 && settings.mtu <= 65535), "a possible MTU");
  hold(!settings.endpoint || std::find(endpoints().begin(), endpoints().end(),
                                       *settings.endpoint) != endpoints().end(),
       "the endpoint is one that the client was given");
}

/// OpenVPN reads an argument of a management command by the rules of its configuration.
std::string unquoted(std::string_view text) {
  hold(text.size() >= 2 && text.front() == '"' && text.back() == '"', "quoted");
  std::string result;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    hold(text[i] != '"', "no mark ends the argument early");
    if (text[i] == '\\') {
      ++i;
      hold(i + 1 < text.size(), "no backslash takes the last mark");
    }
    result += text[i];
  }
  return result;
}

void hold_quote(std::string_view text) {
  // They would end the command, or be dropped by OpenVPN without a word.
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  try {
    const std::string quoted = quote(text);
    hold(!has_control, "a control character is refused");
    hold(unquoted(quoted) == text, "a quoted argument is read back");
    hold(text.size() <= kArgumentMax, "what OpenVPN would print as too long is refused");
  } catch (const Error&) {
    hold(has_control || text.size() > kArgumentMax, "everything else is quoted");
  }
}

void hold_password(const Challenge& challenge) {
  try {
    const Secret password = password_for(challenge, "bar", "8675309");
    hold(password.size() <= kArgumentMax, "what is sent is not too long");
    switch (challenge.kind) {
      case Challenge::Kind::kNone:
        hold(password == "bar", "nothing added");
        break;
      case Challenge::Kind::kStatic:
        hold(password == (challenge.concatenated ? "bar8675309" : "SCRV1:YmFy:ODY3NTMwOQ=="),
             "as the configuration wants it");
        break;
      case Challenge::Kind::kDynamic:
        hold(password == "CRV1::" + challenge.state_id + "::8675309", "as the server wants it");
        break;
    }
  } catch (const Error&) {
    hold(challenge.state_id.size() > kArgumentMax - 6 - 2 - 7, "only for its length refused");
  }
}

/// One line an event; the error, if any, is the last.
struct Record {
  std::vector<std::string> lines;
  ManagementEvents events() {
    ManagementEvents events;
    events.on_hold = [this](std::uint32_t wait) { lines.push_back(formatted("hold {}", wait)); };
    events.on_bytes = [this](std::uint64_t received) {
      lines.push_back(formatted("bytes {}", received));
    };
    events.on_state = [this](std::string_view name, std::string_view detail) {
      lines.push_back(formatted("state {},{}", name, detail));
    };
    events.on_up = [this](const std::map<std::string, std::string>& environment) {
      // 64 options of the server's, and the few variables that are read besides.
      hold(environment.size() <= 100, "a bounded environment");
      hold_settings(environment);
      lines.emplace_back("up");
      for (const auto& [name, value] : environment) {
        lines.back() += formatted(" {}={}", name, value);
      }
    };
    events.on_down = [this] { lines.emplace_back("down"); };
    events.on_need_password = [this](std::string_view realm, bool user,
                                     const Challenge& challenge) {
      hold_quote(realm);
      hold_password(challenge);
      lines.push_back(formatted("need {} {} {} {} {}", realm, user, challenge.text, challenge.echo,
                                challenge.concatenated));
    };
    events.on_password_rejected = [this](std::string_view realm, std::string_view reason) {
      lines.push_back(formatted("rejected {} {}", realm, reason));
      if (const auto challenge = dynamic_challenge(reason)) {
        hold(challenge->kind == Challenge::Kind::kDynamic, "a server's challenge");
        hold(!challenge->user_name.empty() &&
                 std::none_of(challenge->user_name.begin(), challenge->user_name.end(),
                              [](char c) { return static_cast<unsigned char>(c) < 0x20; }),
             "a name that can be sent back");
        hold(challenge->state_id.find(':') == std::string::npos, "one field");
        hold_password(*challenge);
      }
    };
    events.on_auth_token = [this] { lines.emplace_back("token"); };
    events.on_fatal = [this](std::string_view text) {
      lines.push_back(formatted("fatal {}", text));
    };
    events.on_info_message = [this](std::string_view message) {
      lines.push_back(formatted("info {}", message));
    };
    return events;
  }
};

/// `cut` 0: all at once. Otherwise pieces of up to `cut` bytes, each as long as its first byte
/// says.
std::vector<std::string> events_of(std::string_view before, std::string_view bytes, unsigned cut) {
  Record record;
  ManagementParser parser(record.events());
  try {
    parser.feed(before);
    while (!bytes.empty()) {
      const std::size_t wanted =
          cut == 0 ? bytes.size() : 1 + static_cast<unsigned char>(bytes.front()) % cut;
      const std::string_view piece = bytes.substr(0, wanted);
      parser.feed(piece);
      bytes.remove_prefix(piece.size());
    }
  } catch (const Error& error) {
    fuzz::hold_message(error);
    record.lines.emplace_back(error.what());
  }
  return record.lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Inputs are short: a line at its limit is begun for them.
  constexpr unsigned kLongLine = 0x80;
  const std::string before((data[0] & kLongLine) != 0 ? ManagementParser::kLineMax - 64 : 0, 'x');
  const auto events = events_of(before, bytes, data[0] % kLongLine);
  hold(events == events_of(before, bytes, 0), "the events do not depend on the pieces");
  const std::size_t first_end = std::min(bytes.find('\n'), bytes.size());
  if (before.size() + first_end > ManagementParser::kLineMax) {
    hold(events.size() == 1, "too long a line is an error and nothing else");
  }
  hold_quote(bytes);
  return 0;
}
