// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/show.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "profiles/base/error.h"
#include "profiles/base/utf8.h"

namespace vpnrun {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

/// On a terminal JSON has to be harmless, too, and it leaves DEL, C1 controls and what turns the
/// direction of writing as they are: a process may be called so.
std::string escaped(const std::string& json) {
  constexpr char32_t kLastAscii = 0x7E;
  std::string text;
  for (std::size_t position = 0; position < json.size();) {
    const std::size_t start = position;
    const auto point = decode_utf8(json, position);  // well-formed, as nlohmann::json writes it
    if (point && *point > kLastAscii && is_control(*point)) {
      text += formatted("\\u{:04x}", static_cast<std::uint32_t>(*point));
    } else {
      text.append(json, start, position - start);
    }
  }
  return text;
}

std::string dump(const Json& json, int indent = 2) {
  return escaped(json.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n";
}

/// Columns as wide as their widest cell; the last one is not filled up.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += formatted("{:<{}}  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + printable(word);
  }
  return text;
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time{seconds};
  std::tm parts{};
  if (::localtime_r(&time, &parts) == nullptr) {
    return std::to_string(seconds);
  }
  return formatted("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                   parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

std::string show_list(const std::vector<ProfileFacts>& profiles) {
  if (profiles.empty()) {
    return {};
  }
  std::vector<Row> rows{{"NAME", "STATE", "ACCESS", "DESCRIPTION"}};
  for (const ProfileFacts& profile : profiles) {
    rows.push_back({profile.name, profile.state ? printable(*profile.state) : "-",
                    std::string(to_string(profile.admission)), printable(profile.description)});
  }
  return table(rows);
}

std::string list_to_json(const std::vector<ProfileFacts>& profiles) {
  Json json = Json::array();
  for (const ProfileFacts& profile : profiles) {
    json.push_back({{"name", profile.name},
                    {"description", profile.description},
                    {"admission", to_string(profile.admission)},
                    {"state", profile.state ? Json(*profile.state) : Json()}});
  }
  return dump(json);
}

std::string show_status(const Status& status) {
  std::string text = printable(status.profile) + "\n";
  const auto add = [&text](std::string_view label, const std::string& value) {
    if (!value.empty()) {
      text += formatted("  {:<11}{}\n", label, value);
    }
  };
  const auto number = [](auto value) {
    return value == 0 ? std::string() : formatted("{}", value);
  };
  add("state", printable(state_word(status)) +
                   (status.since == 0 ? "" : " since " + local_time(status.since)));
  add("tunnel", printable(status.tunnel_type));
  add("endpoint",
      printable(status.endpoint) +
          (status.endpoint_name.empty() ? "" : " (" + printable(status.endpoint_name) + ")"));
  add("device", printable(status.device));
  add("addresses", join(status.addresses));
  add("resolvers", join(status.dns));
  add("inbound", join(status.inbound));
  add("mtu", number(status.mtu));
  add("attempt", number(status.attempt));
  add("pid", number(status.pid));
  add("version", printable(status.version));
  for (const PromiseException& exception : status.exceptions) {
    add("exception",
        formatted("{}: its programs can {}", printable(exception.key), printable(exception.opens)));
  }
  add("question", status.question ? printable(status.question->text) : "");
  for (const LeftOut& entry : status.left_out) {
    add("left out", describe(std::span(&entry, 1)));
  }
  add("error", printable(status.error));
  add("hint", printable(status.hint));
  for (const std::string& warning : status.warnings) {
    add("warning", printable(warning));
  }
  return text;
}

std::string statuses_to_json(const std::vector<Status>& statuses) {
  Json json = Json::array();
  for (const Status& status : statuses) {
    json.push_back(Json::parse(to_json(status)));
  }
  return dump(json);
}

std::string show_inbound(const Status& status) {
  std::string text;
  for (const std::string& port : status.inbound) {
    text += printable(port) + "\n";
  }
  return text;
}

std::string inbound_to_json(const Status& status) {
  return dump(Json(status.inbound));
}

std::string show_processes(const std::vector<ProfileProcesses>& profiles) {
  std::vector<Row> rows{{"PROFILE", "PID", "USER", "COMMAND"}};
  for (const auto& [profile, list] : profiles) {
    for (const ProcessFacts& process : list.processes) {
      rows.push_back({profile, std::to_string(process.pid), printable(process.user),
                      printable(process.command)});
    }
  }
  return rows.size() == 1 ? std::string() : table(rows);
}

std::string processes_to_json(const std::vector<ProfileProcesses>& profiles) {
  Json json = Json::array();
  for (const auto& [profile, list] : profiles) {
    for (const ProcessFacts& process : list.processes) {
      json.push_back({{"profile", profile},
                      {"pid", process.pid},
                      {"uid", process.uid},
                      {"user", process.user},
                      {"command", process.command}});
    }
  }
  return dump(json);
}

std::string show_log_line(const LogLine& line) {
  return formatted("{} {}\n", local_time(line.time), printable(line.text));
}

std::string log_line_to_json(const LogLine& line) {
  const Json json{
      {"number", line.number}, {"time", line.time}, {"level", line.level}, {"text", line.text}};
  return dump(json, -1);
}

std::string show_attached(const std::vector<AttachedState>& units) {
  if (units.empty()) {
    return {};
  }
  std::vector<Row> rows{{"UNIT", "PROFILE", "STATE"}};
  for (const AttachedState& one : units) {
    rows.push_back({printable(one.unit.id), one.unit.profile, one.state});
  }
  return table(rows);
}

std::string attached_to_json(const std::vector<AttachedState>& units) {
  Json json = Json::array();
  for (const AttachedState& one : units) {
    json.push_back({{"unit", one.unit.id},
                    {"profile", one.unit.profile},
                    {"file", one.unit.file},
                    {"state", one.state},
                    {"finding", one.finding},
                    {"hint", one.hint}});
  }
  return dump(json);
}

}  // namespace vpnrun
