// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/status.h"

#include <array>
#include <utility>

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
  if (status.question) {
    json["question"] = question_to_json(*status.question);
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
  if (const Json* question = fields.find("question")) {
    status.question = question_from_json(*question);
  }
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
