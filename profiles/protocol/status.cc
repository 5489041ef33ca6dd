// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/status.h"

#include <array>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/protocol/json_fields.h"

namespace vpnrun {
namespace {

constexpr const char* kWhat = "status";

constexpr std::array<std::pair<State, std::string_view>, 5> kStates = {{
    {State::kDown, "down"},
    {State::kStarting, "starting"},
    {State::kUp, "up"},
    {State::kReconnecting, "reconnecting"},
    {State::kFailed, "failed"},
}};

State state_from_string(std::string_view text) {
  for (const auto& [state, name] : kStates) {
    if (name == text) {
      return state;
    }
  }
  return State::kUnknown;
}

Json question_to_json(const CredentialQuestion& question) {
  Json json{{"id", question.id},
            {"text", question.text},
            {"wants_user_name", question.wants_user_name},
            {"wants_password", question.wants_password}};
  if (question.wants_response) {  // left out otherwise, for readers that do not know it
    json["wants_response"] = true;
    json["challenge"] = question.challenge;
    json["echo"] = question.echo;
  }
  return json;
}

CredentialQuestion question_from_json(const Json& json) {
  CredentialQuestion question;
  JsonFields fields(json, "question");
  fields.get("id", question.id);
  fields.get("text", question.text);
  fields.get("wants_user_name", question.wants_user_name);
  fields.get("wants_password", question.wants_password);
  fields.get("wants_response", question.wants_response);
  fields.get("challenge", question.challenge);
  fields.get("echo", question.echo);
  return question;
}

Json left_out_to_json(const std::vector<LeftOut>& entries) {
  Json json = Json::array();
  for (const LeftOut& entry : entries) {
    json.push_back({{"file", entry.file},
                    {"directive", entry.directive},
                    {"lines", entry.lines},
                    {"reason", entry.reason},
                    {"severity", to_string(entry.severity)}});
  }
  return json;
}

Json exceptions_to_json(const std::vector<PromiseException>& exceptions) {
  Json json = Json::array();
  for (const PromiseException& exception : exceptions) {
    json.push_back({{"key", exception.key}, {"opens", exception.opens}});
  }
  return json;
}

std::vector<LeftOut> left_out_from_json(const Json& json) {
  if (!json.is_array()) {
    throw Error("cannot parse status: 'left_out' must be an array");
  }
  std::vector<LeftOut> entries;
  for (const Json& element : json) {
    LeftOut& entry = entries.emplace_back();
    JsonFields fields(element, "left_out");
    std::string severity;
    fields.get("file", entry.file);
    fields.get("directive", entry.directive);
    fields.get("lines", entry.lines);
    fields.get("reason", entry.reason);
    fields.get("severity", severity);
    entry.severity = severity_from_string(severity);
  }
  return entries;
}

std::vector<PromiseException> exceptions_from_json(const Json& json) {
  if (!json.is_array()) {
    throw Error("cannot parse status: 'exceptions' must be an array");
  }
  std::vector<PromiseException> exceptions;
  for (const Json& element : json) {
    PromiseException& exception = exceptions.emplace_back();
    JsonFields fields(element, "exceptions");
    fields.get("key", exception.key);
    fields.get("opens", exception.opens);
  }
  return exceptions;
}

}  // namespace

std::string_view to_string(State state) noexcept {
  for (const auto& [known, name] : kStates) {
    if (known == state) {
      return name;
    }
  }
  return "unknown";
}

std::string_view state_word(const Status& status) noexcept {
  return status.state == State::kUnknown && !status.state_word.empty()
             ? std::string_view{status.state_word}
             : to_string(status.state);
}

std::string state_phrase(const Status& status) {
  return formatted("{} {}", status.state == State::kFailed ? "has" : "is", state_word(status));
}

Json status_to_json(const Status& status) {
  Json json{{"profile", status.profile},
            {"state", state_word(status)},
            {"since", status.since},
            {"pid", status.pid},
            {"tunnel_type", status.tunnel_type},
            {"device", status.device},
            {"addresses", status.addresses},
            {"dns", status.dns},
            {"endpoint", status.endpoint},
            {"endpoint_name", status.endpoint_name},
            {"mtu", status.mtu},
            {"error", status.error},
            {"hint", status.hint},
            {"attempt", status.attempt}};
  if (!status.exceptions.empty()) {
    json["exceptions"] = exceptions_to_json(status.exceptions);
  }
  if (status.question) {
    json["question"] = question_to_json(*status.question);
  }
  if (!status.left_out.empty()) {
    json["left_out"] = left_out_to_json(status.left_out);
  }
  if (!status.inbound.empty()) {
    json["inbound"] = status.inbound;
  }
  if (!status.login_url.empty()) {
    json["login_url"] = status.login_url;
  }
  if (!status.warnings.empty()) {  // left out otherwise: 0.1.0 reads state.json as well
    json["warnings"] = status.warnings;
  }
  if (!status.version.empty()) {
    json["version"] = status.version;
  }
  if (status.features) {
    json["features"] = *status.features;
  }
  return json;
}

Status status_from_json(const Json& json) {
  Status status;
  JsonFields fields(json, kWhat);
  std::string state(to_string(status.state));
  fields.get("profile", status.profile);
  fields.get("state", state);
  fields.get("since", status.since);
  fields.get("pid", status.pid);
  fields.get("tunnel_type", status.tunnel_type);
  fields.get("device", status.device);
  fields.get("addresses", status.addresses);
  fields.get("dns", status.dns);
  fields.get("endpoint", status.endpoint);
  fields.get("endpoint_name", status.endpoint_name);
  fields.get("mtu", status.mtu);
  fields.get("error", status.error);
  fields.get("hint", status.hint);
  fields.get("attempt", status.attempt);
  if (const Json* exceptions = fields.find("exceptions")) {
    status.exceptions = exceptions_from_json(*exceptions);
  }
  fields.get("warnings", status.warnings);
  if (const Json* question = fields.find("question")) {
    status.question = question_from_json(*question);
  }
  if (const Json* left_out = fields.find("left_out")) {
    status.left_out = left_out_from_json(*left_out);
  }
  fields.get("inbound", status.inbound);
  fields.get("login_url", status.login_url);
  fields.get("version", status.version);
  if (fields.find("features") != nullptr) {
    fields.get("features", status.features.emplace());
  }
  status.state = state_from_string(state);
  if (status.state == State::kUnknown) {
    status.state_word = state;
  }
  return status;
}

std::string to_json(const Status& status) {
  return dump_json(status_to_json(status));
}

std::string to_pretty_json(const Status& status) {
  constexpr int kIndent = 2;
  return status_to_json(status).dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status status_from_json(std::string_view text) {
  return status_from_json(parse_json(text, kWhat));
}

}  // namespace vpnrun
