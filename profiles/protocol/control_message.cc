// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/control_message.h"

#include <array>
#include <utility>

#include "profiles/base/utf8.h"
#include "profiles/protocol/json_fields.h"

namespace vpnrun {
namespace {

constexpr const char* kRequest = "request";
constexpr const char* kReply = "reply";

constexpr std::array<std::pair<Command, std::string_view>, 5> kCommands = {{
    {Command::kStatus, "status"},
    {Command::kUp, "up"},
    {Command::kDown, "down"},
    {Command::kRestart, "restart"},
    {Command::kAnswer, "answer"},
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
  throw Error(fmt::format("cannot parse request: unknown command '{}'", printable(text)), {},
              "commands are status, up, down, restart and answer");
}

/// The answer goes on to the VPN client in a protocol of lines: a line end in it would be an order.
void refuse_control_characters(const char* name, const std::string& value) {
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F) {
      throw Error(fmt::format("cannot use '{}': it has a control character", name));
    }
  }
}

/// A byte that JSON cannot carry must not be replaced without a word: it would be another password.
void refuse_other_encodings(const char* name, const std::string& value) {
  for (std::size_t position = 0; position < value.size();) {
    if (!decode_utf8(value, position)) {
      throw Error(fmt::format("cannot use '{}': it is not UTF-8", name));
    }
  }
}

void check_secret(const char* name, const std::string& value) {
  refuse_control_characters(name, value);
  refuse_other_encodings(name, value);
}

void check_answer(const Request& request) {
  check_secret("user_name", request.user_name);
  check_secret("password", request.password);
  check_secret("response", request.response);
}

void get_answer(JsonFields& fields, Request& request) {
  (void)fields.require("question_id");  // its absence is the error; the value comes with its type
  fields.get("question_id", request.question_id);
  fields.get("user_name", request.user_name);
  fields.get("password", request.password);
  fields.get("response", request.response);
  check_answer(request);
}

}  // namespace

std::string encode(const Request& request) {
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
    json["user_name"] = request.user_name;
    json["password"] = request.password;
    if (!request.response.empty()) {
      json["response"] = request.response;
    }
  }
  return dump_json(json) + "\n";
}

std::string encode(const Reply& reply) {
  Json json{{"ok", reply.ok}};
  if (!reply.ok) {
    json["error"] = reply.error;
    json["hint"] = reply.hint;
  }
  json["status"] = status_to_json(reply.status);
  return dump_json(json) + "\n";
}

Request parse_request(std::string_view line) {
  const Json json = parse_json(line, kRequest);
  JsonFields fields(json, kRequest);
  Request request;
  request.command = command_from_json(fields.require("command"));
  fields.get("follow", request.follow);
  fields.get("asks", request.asks);
  if (request.command == Command::kAnswer) {
    get_answer(fields, request);
  }
  fields.finish();
  return request;
}

Reply parse_reply(std::string_view line) {
  const Json json = parse_json(line, kReply);
  JsonFields fields(json, kReply);
  Reply reply;
  (void)fields.require("ok");  // its absence is the error; the value comes with its type
  fields.get("ok", reply.ok);
  fields.get("error", reply.error);
  fields.get("hint", reply.hint);
  if (const Json* status = fields.find("status")) {
    reply.status = status_from_json(*status);
  }
  fields.finish();
  return reply;
}

}  // namespace vpnrun
