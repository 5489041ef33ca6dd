// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/service_manager.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

#include "launcher/ctl/drop_in_file.h"
#include "launcher/ctl/program_output.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::size_t kMaxUnitName = 255;
constexpr std::size_t kMaxUnitFile = 1U << 20U;

// Whatever the checks and the drop-in need; one question for all.
const std::vector<std::string>& property_names() {
  static const std::vector<std::string> names = {"Id",
                                                 "Names",
                                                 "ControlGroup",
                                                 "LoadState",
                                                 "ActiveState",
                                                 "FragmentPath",
                                                 "DropInPaths",
                                                 "Type",
                                                 "BusName",
                                                 "PIDFile",
                                                 "KillMode",
                                                 "User",
                                                 "DynamicUser",
                                                 "NoNewPrivileges",
                                                 "SystemCallFilter",
                                                 "SystemCallErrorNumber",
                                                 "RootMStack",
                                                 "RuntimeDirectory",
                                                 "Before",
                                                 "BindPaths",
                                                 "BindReadOnlyPaths",
                                                 "RootDirectory",
                                                 "RootImage",
                                                 "JoinsNamespaceOf",
                                                 "TriggeredBy",
                                                 "NeedDaemonReload"};
  return names;
}

[[noreturn]] void throw_unavailable(UnitScope scope) {
  if (scope == UnitScope::kUser) {
    throw Error("cannot ask your service manager", {},
                "it runs only while you are logged in: systemctl --user status");
  }
  throw Error("cannot ask systemd", {}, "does this machine run systemd? systemctl status");
}

UnitProperties parse_properties(std::string_view text) {
  UnitProperties properties;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) {
      continue;
    }
    std::string& value = properties[std::string(line.substr(0, sign))];
    value.append(value.empty() ? "" : "\n").append(line.substr(sign + 1));
  }
  return properties;
}

void require_loaded(const Unit& unit, const std::string& name, const ServiceManager& manager) {
  const std::string state = property(unit.properties, "LoadState");
  if (state == "loaded") {
    return;
  }
  if (state == "not-found") {
    throw Error(formatted("there is no unit '{}'", name),
                std::make_error_code(std::errc::no_such_file_or_directory),
                manager.scope() == UnitScope::kUser
                    ? "'systemctl --user list-unit-files' lists your units; the machine's are "
                      "attached without --user"
                    : "'systemctl list-unit-files' lists the machine's units; a user's own are "
                      "attached with --user, by the user");
  }
  throw Error(formatted("cannot attach '{}': its state is '{}'", name, printable(state)), {},
              formatted("'{}' says more", manager.command("status", name)));
}

}  // namespace

std::string property(const UnitProperties& properties, std::string_view name) {
  const auto entry = properties.find(name);
  return entry == properties.end() ? std::string() : entry->second;
}

std::vector<std::string> ServiceManager::words(const std::string& verb) const {
  std::vector<std::string> words{systemctl_};
  if (scope_ == UnitScope::kUser) {
    words.emplace_back("--user");
  }
  words.push_back(verb);
  return words;
}

UnitProperties ServiceManager::show(const std::string& unit,
                                    const std::vector<std::string>& names) const {
  std::vector<std::string> line = words("show");
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ",") + name;
  }
  line.insert(line.end(), {"--no-pager", "--property=" + list, "--", unit});
  const ProgramOutput output = run_program(line, environment_);
  if (output.status != 0) {
    throw_unavailable(scope_);
  }
  return parse_properties(output.out);
}

std::vector<UnitProperties> ServiceManager::show_services(
    const std::vector<std::string>& names) const {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ",") + name;
  }
  std::vector<std::string> line = words("show");
  line.insert(line.end(), {"--no-pager", "--property=" + list, "--", "*.service"});
  const ProgramOutput output = run_program(line, environment_);
  if (output.status != 0) {
    throw_unavailable(scope_);
  }
  // An empty line between two.
  std::vector<UnitProperties> units;
  std::string_view rest = output.out;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\n\n"), rest.size());
    units.push_back(parse_properties(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return units;
}

std::vector<std::string> ServiceManager::units_before(const std::string& unit) const {
  std::vector<std::string> line = words("list-dependencies");
  line.insert(line.end(), {"--after", "--plain", "--no-pager", "--", unit});
  const ProgramOutput output = run_program(line, environment_);
  if (output.status != 0) {
    throw_unavailable(scope_);
  }
  // A name at the end of each line, after blanks and a dot for its state. The first is the unit's.
  std::vector<std::string> names;
  std::string_view rest = output.out;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::string_view name = one.substr(one.rfind(' ') + 1);
    if (name != unit) {
      names.emplace_back(name);
    }
  }
  return names;
}

int ServiceManager::version() const {
  std::vector<std::string> line = words("show");
  line.insert(line.end(), {"--no-pager", "--property=Version"});
  const ProgramOutput output = run_program(line, environment_);
  if (output.status != 0) {
    throw_unavailable(scope_);
  }
  // "257.13-1~deb13u1", "v258-rc1", "252 (252.4)"
  const std::string text = property(parse_properties(output.out), "Version");
  const std::size_t start = text.find_first_of("0123456789");
  int number = 0;
  if (start == std::string::npos ||
      std::from_chars(text.data() + start, text.data() + text.size(), number).ec != std::errc()) {
    return std::numeric_limits<int>::max();
  }
  return number;
}

void ServiceManager::reload() const {
  if (run_program(words("daemon-reload"), environment_).status != 0) {
    throw_unavailable(scope_);
  }
}

void ServiceManager::order(const std::string& verb, const std::string& unit,
                           std::string_view failure) const {
  std::vector<std::string> line = words(verb);
  line.insert(line.end(), {"--", unit});
  if (run_program(line, environment_).status != 0) {
    throw Error(formatted("'{}' {}", unit, failure), {},
                formatted("'{}' says why", command("status", unit)));
  }
}

void ServiceManager::reset_failed(const std::vector<std::string>& patterns) const noexcept {
  try {
    std::vector<std::string> line = words("reset-failed");
    line.emplace_back("--");
    line.insert(line.end(), patterns.begin(), patterns.end());
    (void)run_program(line, environment_);
  } catch (const std::exception&) {
    return;  // what is to be started says what is wrong
  }
}

void ServiceManager::start(const std::string& unit) const {
  order("start", unit, "does not start");
}

void ServiceManager::restart_if_running(const std::string& unit) const {
  order("try-restart", unit, "does not start any more");
}

std::string ServiceManager::command(std::string_view verb, const std::string& unit) const {
  return formatted("systemctl {}{} {}", scope_ == UnitScope::kUser ? "--user " : "", verb, unit);
}

bool is_running(const UnitProperties& properties) {
  const std::string state = property(properties, "ActiveState");
  return !state.empty() && state != "inactive" && state != "failed";
}

const std::vector<std::string>& failure_properties() {
  static const std::vector<std::string> names = {"ActiveState", "SubState", "Result",
                                                 "ExecMainStatus", "NRestarts"};
  return names;
}

std::string failure_of(const UnitProperties& properties) {
  const bool waits = property(properties, "SubState").starts_with("auto-restart");
  if (property(properties, "ActiveState") != "failed" && !waits) {
    return {};
  }
  const std::string status = property(properties, "ExecMainStatus");
  return formatted("its result is '{}'{}", printable(property(properties, "Result")),
                   status.empty() || status == "0" ? "" : ", status " + printable(status));
}

std::string service_name(const std::string& name) {
  constexpr std::string_view kSuffix = ".service";
  constexpr std::array kOtherTypes = {".socket", ".device", ".mount", ".automount", ".swap",
                                      ".target", ".path",   ".timer", ".slice",     ".scope"};
  const bool letters = std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') ||
           std::string_view(":-_.\\@").find(letter) != std::string_view::npos;
  });
  if (name.empty() || name.size() > kMaxUnitName || !letters || name.front() == '.' ||
      name.front() == '-') {
    throw Error(formatted("'{}' is not the name of a unit", printable(name)),
                std::make_error_code(std::errc::invalid_argument),
                "'systemctl list-units --type=service' shows them");
  }
  if (std::any_of(kOtherTypes.begin(), kOtherTypes.end(),
                  [&](std::string_view type) { return name.ends_with(type); })) {
    throw Error(formatted("cannot attach '{}': it is not a service", name),
                std::make_error_code(std::errc::invalid_argument),
                "only services have processes that can live behind a tunnel: attach the one that "
                "it starts, 'systemctl show --property=Triggers UNIT'");
  }
  std::string whole = name.ends_with(kSuffix) ? name : name + std::string(kSuffix);
  if (whole.find("@.") != std::string::npos) {
    throw Error(formatted("cannot attach '{}': it is a template", whole),
                std::make_error_code(std::errc::invalid_argument),
                "name one of its instances: NAME@INSTANCE.service");
  }
  return whole;
}

Unit load_unit(const ServiceManager& manager, const std::string& name,
               const std::string& unit_folder) {
  Unit unit;
  unit.properties = manager.show(name, property_names());
  if (property(unit.properties, "NeedDaemonReload") == "yes") {
    manager.reload();  // its files are not what systemd has read of them
    unit.properties = manager.show(name, property_names());
  }
  require_loaded(unit, name, manager);
  unit.id = service_name(property(unit.properties, "Id"));
  // The one is a path as it is, the others are words: names of units have backslashes.
  std::vector<std::string> files = {property(unit.properties, "FragmentPath")};
  const std::string own = drop_in_path(unit_folder, unit.id);
  for (const std::string& file : words_of({property(unit.properties, "DropInPaths")})) {
    if (file != own) {
      files.push_back(file);
    }
  }
  for (const std::string& file : files) {
    const auto text = read_file(file, kMaxUnitFile);
    if (!text) {
      throw_error(ENOENT, "cannot read '{}'", file);
    }
    const std::vector<UnitSetting> settings = parse_unit_text(*text);
    unit.settings.insert(unit.settings.end(), settings.begin(), settings.end());
  }
  return unit;
}

}  // namespace vpnrun
