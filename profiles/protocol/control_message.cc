// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/control_message.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "profiles/base/utf8.h"
#include "profiles/profile_values.h"
#include "profiles/protocol/json_fields.h"

namespace vpnrun {
namespace {

constexpr const char* kRequest = "request";
constexpr const char* kReply = "reply";

constexpr std::array<std::pair<Command, std::string_view>, 8> kCommands = {{
    {Command::kStatus, "status"},
    {Command::kUp, "up"},
    {Command::kDown, "down"},
    {Command::kRestart, "restart"},
    {Command::kAnswer, "answer"},
    {Command::kHello, "hello"},
    {Command::kInbound, "inbound"},
    {Command::kLog, "log"},
}};

std::string_view name_of(Command command) {
  for (const auto& [known, name] : kCommands) {
    if (known == command) {
      return name;
    }
  }
  throw Error("cannot send request: no such command");
}

Command command_from_json(const Json& json) {
  if (!json.is_string()) {
    throw Error("cannot parse request: 'command' must be a string");
  }
  const auto& text = json.get_ref<const std::string&>();
  for (const auto& [command, name] : kCommands) {
    if (name == text) {
      return command;
    }
  }
  throw UnknownInRequest(formatted("cannot parse request: unknown command '{}'", printable(text)),
                         text,
                         "commands are status, up, down, restart, answer, hello, inbound and log");
}

// All that 0.1.0 writes and reads. Never to grow: it refuses what is not among it. A state that
// comes later goes to such a client as the one of these five that it is a kind of.
constexpr std::array<std::string_view, 4> kFirstOfReply = {"ok", "error", "hint", "status"};
constexpr std::array<std::string_view, 15> kFirstOfStatus = {
    "profile",  "state",         "since", "pid",   "tunnel_type", "device",  "addresses", "dns",
    "endpoint", "endpoint_name", "mtu",   "error", "hint",        "attempt", "question"};
constexpr std::array<std::string_view, 7> kFirstOfQuestion = {
    "id", "text", "wants_user_name", "wants_password", "wants_response", "challenge", "echo"};

void keep_only(Json& object, std::span<const std::string_view> names) {
  Json kept = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      kept[name] = std::move(value);
    }
  }
  object = std::move(kept);
}

void reduce_to_first(Json& reply, const Status& status) {
  keep_only(reply, kFirstOfReply);
  Json& of_status = reply["status"];
  keep_only(of_status, kFirstOfStatus);
  if (status.question && !status.question->can_be_answered()) {
    of_status.erase("question");  // it would be answered with an empty password
  } else if (status.question) {
    keep_only(of_status["question"], kFirstOfQuestion);
  }
}

/// What a companion of 0.1.0 did not know, taken from its message, which can no longer change.
std::string unknown_by_words(std::string_view error) {
  for (const std::string_view begin :
       {"cannot parse request: unknown member '", "cannot parse request: unknown command '"}) {
    if (error.starts_with(begin) && error.ends_with('\'') && error.size() > begin.size()) {
      return std::string(error.substr(begin.size(), error.size() - begin.size() - 1));
    }
  }
  return {};
}

/// The answer goes on to the VPN client in a protocol of lines: a line end in it would be an order.
void refuse_control_characters(const char* name, std::string_view value) {
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F) {
      throw Error(formatted("cannot use '{}': it has a control character", name));
    }
  }
}

/// A byte that JSON cannot carry must not be replaced silently: it would be a different password.
void refuse_other_encodings(const char* name, std::string_view value) {
  for (std::size_t position = 0; position < value.size();) {
    if (!decode_utf8(value, position)) {
      throw Error(formatted("cannot use '{}': it is not UTF-8", name));
    }
  }
}

void check_secret(const char* name, const Secret& secret) {
  refuse_control_characters(name, secret.view());
  refuse_other_encodings(name, secret.view());
}

void check_answer(const ControlRequest& request) {
  check_secret("user_name", request.user_name);
  check_secret("password", request.password);
  check_secret("response", request.response);
}

Secret get_secret(JsonFields& fields, const char* name) {
  std::string text;
  fields.get(name, text);
  return Secret::take(std::move(text));
}

void get_answer(JsonFields& fields, ControlRequest& request) {
  (void)fields.require("question_id");  // its absence is the error; the value comes with its type
  fields.get("question_id", request.question_id);
  request.user_name = get_secret(fields, "user_name");
  request.password = get_secret(fields, "password");
  request.response = get_secret(fields, "response");
  check_answer(request);
}

std::vector<profile::Port> get_ports(JsonFields& fields, const char* name) {
  std::vector<std::string> texts;
  fields.get(name, texts);
  std::vector<profile::Port> ports;
  for (const auto& text : texts) {
    try {
      ports.push_back(profile::parse_port(text));
    } catch (const Error& error) {
      throw error.with_context(formatted("cannot use '{}'", name));
    }
  }
  return ports;
}

Json ports_to_json(const std::vector<profile::Port>& ports) {
  Json json = Json::array();
  for (const auto& port : ports) {
    json.push_back(port.str());
  }
  return json;
}

Json log_to_json(const std::vector<LogLine>& lines) {
  Json list = Json::array();
  for (const LogLine& line : lines) {
    list.push_back(
        {{"number", line.number}, {"time", line.time}, {"level", line.level}, {"text", line.text}});
  }
  return list;
}

std::vector<LogLine> log_from_json(const Json& json) {
  if (!json.is_array()) {
    throw Error("cannot parse reply: 'log' must be an array");
  }
  std::vector<LogLine> lines;
  for (const Json& element : json) {
    JsonFields fields(element, "log");
    LogLine line;
    for (const char* name : {"number", "time", "level", "text"}) {
      (void)fields.require(name);
    }
    fields.get("number", line.number);
    fields.get("time", line.time);
    fields.get("level", line.level);
    fields.get("text", line.text);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

bool is_for_root(const ControlRequest& request) noexcept {
  return request.command == Command::kInbound;
}

std::string encode(const ControlRequest& request) {
  Json json{{"command", name_of(request.command)}};
  if (request.follow) {
    json["follow"] = true;
  }
  if (request.asks) {
    json["asks"] = true;
  }
  if (request.command == Command::kAnswer) {
    check_answer(request);
    json["question_id"] = request.question_id;
    json["user_name"] = request.user_name.view();
    json["password"] = request.password.view();
    if (!request.response.empty()) {
      json["response"] = request.response.view();
    }
  }
  if (!request.add.empty()) {
    json["add"] = ports_to_json(request.add);
  }
  if (!request.remove.empty()) {
    json["remove"] = ports_to_json(request.remove);
  }
  if (request.command == Command::kLog && request.after != 0) {
    json["after"] = request.after;
  }
  return dump_json(json) + "\n";
}

std::string encode(const ControlReply& reply, Audience audience) {
  Json json{{"ok", reply.ok}};
  if (!reply.ok) {
    json["error"] = reply.error;
    json["hint"] = reply.hint;
    if (!reply.unknown.empty()) {
      json["unknown"] = reply.unknown;
    }
  }
  json["status"] = status_to_json(reply.status);
  if (reply.log) {
    json["log"] = log_to_json(*reply.log);
  }
  if (audience == Audience::kStrict) {
    reduce_to_first(json, reply.status);
  }
  return dump_json(json) + "\n";
}

ControlRequest parse_request(std::string_view line) {
  const Json json = parse_json(line, kRequest);
  JsonFields fields(json, kRequest);
  ControlRequest request;
  request.command = command_from_json(fields.require("command"));
  fields.get("follow", request.follow);
  fields.get("asks", request.asks);
  if (request.command == Command::kAnswer) {
    get_answer(fields, request);
  }
  if (request.command == Command::kInbound) {
    request.add = get_ports(fields, "add");
    request.remove = get_ports(fields, "remove");
  }
  if (request.command == Command::kLog) {
    fields.get("after", request.after);
  }
  fields.finish();
  return request;
}

ControlReply parse_reply(std::string_view line) {
  const Json json = parse_json(line, kReply);
  JsonFields fields(json, kReply);
  ControlReply reply;
  (void)fields.require("ok");  // its absence is the error; the value comes with its type
  fields.get("ok", reply.ok);
  fields.get("error", reply.error);
  fields.get("hint", reply.hint);
  fields.get("unknown", reply.unknown);
  if (!reply.ok && reply.unknown.empty()) {
    reply.unknown = unknown_by_words(reply.error);
  }
  if (const Json* status = fields.find("status")) {
    reply.status = status_from_json(*status);
  }
  if (const Json* log = fields.find("log")) {
    reply.log = log_from_json(*log);
  }
  return reply;
}

}  // namespace vpnrun
