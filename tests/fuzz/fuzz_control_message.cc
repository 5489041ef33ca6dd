// SPDX-License-Identifier: GPL-2.0-or-later
// Lines of the control socket: a request that anybody who may enter the profile can send to root's
// companion, a reply that the launcher takes from there, a status out of state.json.
//
// Held: nothing but Error is thrown, and it can be shown; what is parsed is what was written, and
// printed and parsed again it is equal; what is printed is one line; no answer has a control
// character, which would be an order to the VPN client; a member that is not known makes no reply
// and no status unreadable, and an unknown state is not taken for a known one; a strict reader is
// sent no more than 0.1.0 knew.
//
// Input: one line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "profiles/protocol/status.h"
#include "tests/fuzz/hold.h"

namespace {

using namespace vpnrun;
using fuzz::hold;
using Json = nlohmann::ordered_json;

/// Without its line end, which is the only one.
std::string_view one_line(const std::string& text) {
  hold(text.find('\n') == text.size() - 1, "a message is one line");
  return std::string_view(text).substr(0, text.size() - 1);
}

void hold_written(const Json& written, const Json& printed);

/// The elements of an array of objects; false: it is not one.
bool hold_elements(const Json& written, const Json& printed) {
  if (!written.is_array() || !printed.is_array() || written.size() != printed.size() ||
      written.empty() || !written.front().is_object()) {
    return false;
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    hold_written(written[i], printed[i]);
  }
  return true;
}

/// What both have is equal: no number was cut, no string changed on the way.
void hold_written(const Json& written, const Json& printed) {
  for (const auto& [name, value] : written.items()) {
    const auto member = printed.find(name);
    if (member == printed.end()) {
      continue;
    }
    if (value.is_object() && member->is_object()) {
      hold_written(value, *member);
    } else if (!hold_elements(value, *member)) {
      // A state without a word is shown as one that is not known.
      hold(value == *member || (name == "state" && value == ""),
           "a value is the one that was written");
    }
  }
}

void hold_written(std::string_view line, std::string_view printed) {
  hold_written(Json::parse(line), Json::parse(printed));
}

void hold_equal(const CredentialQuestion& a, const CredentialQuestion& b) {
  hold(a.id == b.id && a.text == b.text && a.wants_user_name == b.wants_user_name &&
           a.wants_password == b.wants_password && a.wants_response == b.wants_response,
       "the same question");
  // Without a response nobody is shown its challenge.
  hold(!a.wants_response || (a.challenge == b.challenge && a.echo == b.echo), "the same challenge");
}

void hold_equal(const Status& a, const Status& b) {
  hold(a.profile == b.profile && a.state == b.state && a.since == b.since && a.pid == b.pid,
       "the same profile, state, time and process");
  hold(a.tunnel_type == b.tunnel_type && a.device == b.device && a.addresses == b.addresses &&
           a.dns == b.dns && a.mtu == b.mtu,
       "the same tunnel");
  hold(a.endpoint == b.endpoint && a.endpoint_name == b.endpoint_name, "the same server");
  hold(a.error == b.error && a.hint == b.hint && a.attempt == b.attempt, "the same failure");
  hold(a.version == b.version && a.features == b.features, "the same companion");
  hold(a.warnings == b.warnings, "the same warnings");
  hold(a.state != State::kUnknown || state_word(a) == state_word(b), "the same unknown state");
  hold(a.question.has_value() == b.question.has_value(), "a question as well");
  if (a.question) {
    hold_equal(*a.question, *b.question);
  }
}

void hold_request(std::string_view line) {
  const ControlRequest request = parse_request(line);
  for (const Secret* secret : {&request.user_name, &request.password, &request.response}) {
    for (const char c : secret->view()) {
      hold(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "no order in an answer");
    }
  }
  const std::string printed = encode(request);
  hold_written(line, printed);
  const ControlRequest again = parse_request(one_line(printed));
  hold(request.command == again.command && request.follow == again.follow &&
           request.question_id == again.question_id && request.user_name == again.user_name &&
           request.password == again.password && request.response == again.response &&
           request.asks == again.asks && request.after == again.after,
       "the same request");
}

/// No member that 0.1.0 did not know: it would refuse all of it.
void hold_known(const Json& object, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    hold(std::find(names.begin(), names.end(), name) != names.end(), "a member of 0.1.0");
  }
}

void hold_strict(const std::string& printed) {
  const Json json = Json::parse(one_line(printed));
  hold_known(json, {"ok", "error", "hint", "status"});
  const Json& status = json.at("status");
  hold_known(status,
             {"profile", "state", "since", "pid", "tunnel_type", "device", "addresses", "dns",
              "endpoint", "endpoint_name", "mtu", "error", "hint", "attempt", "question"});
  if (const auto question = status.find("question"); question != status.end()) {
    hold_known(*question, {"id", "text", "wants_user_name", "wants_password", "wants_response",
                           "challenge", "echo"});
  }
}

/// The same reply of a companion that is newer.
void hold_growth(std::string_view line, const ControlReply& reply) {
  Json json = Json::parse(line);
  for (const char* place : {"", "/status", "/status/question"}) {
    const Json::json_pointer pointer(place);
    if (json.contains(pointer)) {
      json[pointer]["what came later"] = Json::array({nullptr, 1.5});
    }
  }
  hold_equal(parse_reply(json.dump()).status, reply.status);
}

void hold_reply(std::string_view line) {
  const ControlReply reply = parse_reply(line);
  const std::string printed = encode(reply, Audience::kTolerant);
  hold_written(line, printed);
  const ControlReply again = parse_reply(one_line(printed));
  hold(reply.ok == again.ok, "the same success");
  hold(reply.log == again.log, "the same log");
  // A reply that is ok says nothing of an error, whatever came in.
  hold(reply.ok || (reply.error == again.error && reply.hint == again.hint &&
                    reply.unknown == again.unknown),
       "the same refusal");
  hold_equal(reply.status, again.status);
  hold_strict(encode(reply, Audience::kStrict));
  hold_growth(line, reply);
}

void hold_status(std::string_view line) {
  const Status status = status_from_json(line);
  const std::string printed = to_json(status) + '\n';
  hold_written(line, printed);
  hold_equal(status, status_from_json(one_line(printed)));
  hold_equal(status, status_from_json(to_pretty_json(status)));
}

void hold_errors(void (*parse)(std::string_view), std::string_view line) {
  try {
    parse(line);
  } catch (const Error& error) {
    fuzz::hold_message(error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  hold_errors(hold_request, line);
  hold_errors(hold_reply, line);
  hold_errors(hold_status, line);
  return 0;
}
