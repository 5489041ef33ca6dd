// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/attach_checks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "launcher/snap.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::string_view kRunFolder = "/run/";

/// Whether `path` is `folder` or lies in it.
bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_below_any(std::string_view path, const std::vector<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return is_below(path, folder); });
}

/// A switch of a unit file.
bool is_off(const std::string& value) {
  return value == "no" || value == "false" || value == "off" || value == "0" || value == "n" ||
         value == "f";
}

[[noreturn]] void refuse(const Unit& unit, const std::string& reason, const std::string& hint) {
  throw Error(formatted("cannot attach '{}': {}", unit.id, reason),
              std::make_error_code(std::errc::not_supported), hint);
}

void refuse_foundations(const Unit& unit) {
  // These make the namespaces, or start and serve everything else.
  constexpr std::array kOurs = {"vpnrun@", "vpnrun-netns@", "vpnrun-app@", "vpnrun."};
  constexpr std::array kFoundations = {"systemd-",          "dbus.", "dbus-",  "user@",
                                       "user-runtime-dir@", "init.", "polkit."};
  const auto is_one_of = [&](const auto& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return unit.id.starts_with(name); });
  };
  if (is_one_of(kOurs)) {
    refuse(unit, "it is what makes the tunnel", "attach the service that is to use it");
  }
  if (is_one_of(kFoundations)) {
    refuse(unit, "the machine itself depends on it",
           "attach the service that is to use the tunnel");
  }
  // The tunnel is started after these: a cycle, which systemd breaks somewhere.
  for (const std::string& target : words_of({property(unit.properties, "Before")})) {
    if (target == "network.target" || target == "network-pre.target" ||
        target == "nss-lookup.target" || target == "nss-user-lookup.target" ||
        target == "basic.target" || target == "sysinit.target") {
      refuse(unit, formatted("it is started before {}, and the tunnel after that", target),
             "what the machine's own network or names depend on cannot live behind a tunnel");
    }
  }
}

void refuse_snaps(const Unit& unit) {
  for (const std::string& value : service_values(unit.settings, "ExecStart")) {
    for (const UnitCommand& command : split_commands(value)) {
      const std::vector<std::string> words = words_of({command.line});
      if (std::any_of(words.begin(), words.end(), is_snap)) {
        refuse(unit,
               "it starts a snap, which has the machine's own /run: its names would be looked up "
               "outside the tunnel",
               "install the program as a package of the distribution instead");
      }
    }
  }
}

void refuse_other_trees(const Unit& unit) {
  for (const char* name : {"RootDirectory", "RootImage", "RootMStack"}) {
    const std::string root = property(unit.properties, name);
    if (!root.empty() && root != "/") {
      refuse(unit,
             formatted("it has a file system of its own ({}={}), with its own /etc and /run", name,
                       printable(root)),
             "write a drop-in of your own: NetworkNamespacePath=/run/netns/NAME, and the "
             "resolver's files into that file system");
    }
  }
  const std::string other = property(unit.properties, "JoinsNamespaceOf");
  if (!other.empty()) {
    refuse(unit,
           formatted("it shares namespaces with '{}' (JoinsNamespaceOf= in the one or the other), "
                     "which would be in force instead of the tunnel's",
                     printable(other)),
           "leave JoinsNamespaceOf= out ('systemctl edit --full': no drop-in takes it back), and "
           "attach each unit");
  }
  for (const char* name : {"BindPaths", "BindReadOnlyPaths"}) {
    // As systemd has understood them (SOURCE:DESTINATION:rbind): the files may say %t, -/run,
    // //run.
    for (const std::string& path : words_of({property(unit.properties, name)})) {
      const std::size_t end = path.find(':');
      const std::string source = path.substr(path.starts_with('-') ? 1 : 0);
      const std::string target = end == std::string::npos ? std::string() : path.substr(end);
      if (source == "/run" || source.starts_with("/run:") || source.starts_with("/var/run:") ||
          target.starts_with(":/run:") || target.starts_with(":/var/run:")) {
        refuse(unit, formatted("it brings the host's /run with it ({}={})", name, printable(path)),
               "'systemctl edit' the unit to bind only what it needs of that");
      }
    }
  }
}

/// What the unit's own files say about its network; ours are not among them.
void refuse_other_networks(const Unit& unit, const std::string& profile) {
  const std::vector<std::string> paths = service_values(unit.settings, "NetworkNamespacePath");
  if (!paths.empty() && paths.back() != "/run/netns/" + profile &&
      paths.back() != "/var/run/netns/" + profile) {
    refuse(unit,
           formatted("it has a network of its own already (NetworkNamespacePath={})",
                     printable(paths.back())),
           formatted("'systemctl edit {}' and write '[Service]' and 'NetworkNamespacePath='",
                     unit.id));
  }
  const std::vector<std::string> values = service_values(unit.settings, "PrivateNetwork");
  if (!values.empty() && !is_off(values.back())) {
    refuse(
        unit,
        formatted("it is to have no network at all (PrivateNetwork={})", printable(values.back())),
        formatted("if it is to have the tunnel's: 'systemctl edit {}' and write '[Service]' "
                  "and 'PrivateNetwork=no'",
                  unit.id));
  }
}

void refuse_system_bus(const Unit& unit, const std::vector<std::string>& run_paths) {
  const std::string bus_name = property(unit.properties, "BusName");
  if (property(unit.properties, "Type") != "dbus" && bus_name.empty()) {
    return;
  }
  if (!is_below_any("/run/dbus", run_paths)) {
    refuse(unit,
           "it needs the system bus (Type=dbus or BusName=), over which names can be looked up "
           "outside the tunnel",
           "if you accept that: --path /run/dbus");
  }
}

void refuse_unseen_pid_file(const Unit& unit, const std::vector<std::string>& run_paths) {
  const std::string pid_file = property(unit.properties, "PIDFile");
  if (pid_file.empty() || !(is_below(pid_file, "/run") || is_below(pid_file, "/var/run"))) {
    return;
  }
  std::vector<std::string> seen = runtime_directories(unit);
  seen.insert(seen.end(), run_paths.begin(), run_paths.end());
  if (!is_below_any(checked_run_path(pid_file), seen)) {
    refuse(unit,
           formatted("systemd would not see its PID file '{}': the service has a /run of its own",
                     printable(pid_file)),
           "give it a folder, RuntimeDirectory= and PIDFile= in it; or Type=simple or exec, if it "
           "can stay in the foreground");
  }
}

/// Its own vpnrun chooses the profile: one around it changes nothing, or the inner one refuses.
void refuse_launches(const Unit& unit) {
  for (const std::string& value : service_values(unit.settings, "ExecStart")) {
    for (const UnitCommand& command : split_commands(value)) {
      const std::vector<std::string> words = words_of({command.line});
      const std::string program = words.empty() ? std::string() : words.front();
      if (program.substr(program.rfind('/') + 1) == "vpnrun") {
        refuse(unit,
               formatted("it already goes through vpnrun (ExecStart={})", printable(command.line)),
               "--profile in that line names the profile: 'systemctl --user edit --full' the unit");
      }
    }
  }
}

void add_bound_paths_warning(const Unit& unit, std::vector<std::string>& warnings) {
  for (const char* name : {"BindPaths", "BindReadOnlyPaths"}) {
    for (const std::string& path : words_of(service_values(unit.settings, name))) {
      if (path.find("/run/") != std::string::npos || path.find("%t/") != std::string::npos) {
        warnings.push_back(
            formatted("the unit itself has {}={}: the service can reach whoever listens there",
                      name, printable(path)));
      }
    }
  }
}

/// systemd opens them in the machine's own file system, and is connected where they are sockets.
void add_open_files_warning(const Unit& unit, std::vector<std::string>& warnings) {
  for (const std::string& file : service_values(unit.settings, "OpenFile")) {
    warnings.push_back(
        formatted("systemd opens OpenFile={} outside and hands it to the service: through a "
                  "socket it can reach whoever listens there",
                  printable(file)));
  }
}

/// Nothing if a restart ends every process of the unit.
void add_survivors_warning(const Unit& unit, std::vector<std::string>& warnings) {
  const std::string mode = property(unit.properties, "KillMode");
  if (mode == "process" || mode == "none") {
    warnings.push_back(
        formatted("a restart leaves processes of '{}' alone (KillMode={}): those that run now "
                  "stay outside until they end",
                  unit.id, mode));
  }
}

}  // namespace

std::string checked_run_path(const std::string& path) {
  const auto wrong = [&](const char* reason) {
    return Error(formatted("cannot bind '{}': {}", printable(path), reason),
                 std::make_error_code(std::errc::invalid_argument),
                 "--path names a socket or a folder below /run, such as /run/postgresql");
  };
  if (path.empty() || path.front() != '/') {
    throw wrong("it is not an absolute path");
  }
  std::string plain;
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size());
    if (part == "..") {
      throw wrong("it leads upwards");
    }
    if (!part.empty() && part != ".") {
      plain.append("/").append(part);
    }
  }
  if (is_below(plain, "/var/run")) {
    plain.erase(0, std::string_view("/var").size());
  }
  if (!plain.starts_with(kRunFolder)) {
    throw wrong("it is not below /run");
  }
  if (printable(plain) != plain) {
    throw wrong("it has control characters");
  }
  return plain;
}

std::vector<std::string> runtime_directories(const Unit& unit) {
  std::vector<std::string> folders;
  for (const std::string& name : words_of({property(unit.properties, "RuntimeDirectory")})) {
    folders.push_back(std::string(kRunFolder) + name);
  }
  return folders;
}

CallErrors call_errors(const Unit& unit) {
  // How systemctl(1) shows the default, and the word "kill".
  constexpr std::string_view kKill = "2147483646";
  const std::string filter = property(unit.properties, "SystemCallFilter");
  // Our own lines do not change which kind of list it is; of no list at all they make one of what
  // is refused.
  if (filter.empty() || filter.front() == '~') {
    return CallErrors::kUsual;
  }
  const std::string number = property(unit.properties, "SystemCallErrorNumber");
  return number.empty() || number == kKill || number == "0" ? CallErrors::kAllowed
                                                            : CallErrors::kUnits;
}

bool is_filter_in_force(const UnitProperties& properties) {
  // systemctl(1) shows "~A B" for a list of what is refused, "A B" for one of what is allowed, and
  // with some versions after a colon the error of what the latter refuses.
  const auto refuses = [&](const char* name, std::string_view word) {
    const std::string list = property(properties, name);
    const bool refusing = list.starts_with('~');
    const std::vector<std::string> words = words_of({list.substr(refusing ? 1 : 0)});
    const bool is_listed = std::find(words.begin(), words.end(), word) != words.end();
    const bool has_error = std::any_of(words.begin(), words.end(), [&](const std::string& one) {
      return one.starts_with(std::string(word) + ":");
    });
    return refusing ? is_listed || has_error : !is_listed;
  };
  return refuses("RestrictAddressFamilies", "AF_VSOCK") &&
         refuses("RestrictAddressFamilies", "AF_KEY") &&
         refuses("SystemCallFilter", "io_uring_setup") &&
         refuses("SystemCallFilter", "pidfd_getfd") &&
         property(properties, "SystemCallArchitectures") == "native";
}

bool has_no_families(const Unit& unit) {
  const std::vector<std::string> families =
      service_values(unit.settings, "RestrictAddressFamilies");
  return !families.empty() && families.back() == "none";
}

bool has_own_families(const Unit& unit) {
  return !service_values(unit.settings, "RestrictAddressFamilies").empty();
}

const std::vector<std::string>& in_force_properties() {
  static const std::vector<std::string> names = {
      "NetworkNamespacePath",    "TemporaryFileSystem", "BindsTo",
      "ExecCondition",           "ExecStart",           "RestrictAddressFamilies",
      "SystemCallArchitectures", "SystemCallFilter"};
  return names;
}

std::string overridden_setting(const UnitProperties& properties, const std::string& profile) {
  const std::vector<std::string> needed = words_of({property(properties, "BindsTo")});
  const std::vector<std::string> hidden = words_of({property(properties, "TemporaryFileSystem")});
  if (property(properties, "NetworkNamespacePath") != "/run/netns/" + profile) {
    return "NetworkNamespacePath=";
  }
  if (std::none_of(hidden.begin(), hidden.end(),
                   [](const std::string& place) { return place.starts_with("/run:"); })) {
    return "TemporaryFileSystem=";
  }
  if (std::find(needed.begin(), needed.end(), "vpnrun-netns@" + profile + ".service") ==
      needed.end()) {
    return "BindsTo=";
  }
  // "{ path=PROGRAM ; argv[]=PROGRAM inside PROFILE ; …".
  if (property(properties, "ExecCondition").find(" inside " + profile + " ;") ==
      std::string::npos) {
    return "ExecCondition=";
  }
  return is_filter_in_force(properties) ? std::string() : "SystemCallFilter= and its like";
}

bool goes_through(const UnitProperties& properties, const std::string& launcher) {
  // One "{ path=PROGRAM ; argv[]=… }" a line.
  const std::string all = property(properties, "ExecStart");
  std::string_view commands = all;
  const std::string through_us = "{ path=" + launcher + " ;";
  while (!commands.empty()) {
    if (!commands.starts_with(through_us)) {
      return false;
    }
    commands.remove_prefix(std::min(commands.find('\n'), commands.size() - 1) + 1);
  }
  return true;
}

namespace {

/// Whether a time span, as in RestartSec= (systemd.time(7)), is less than two seconds.
bool is_quick(std::string_view span) {
  const std::size_t digits = span.find_first_not_of("0123456789");
  const std::string_view number = span.substr(0, digits);
  std::string_view unit = digits == std::string_view::npos ? "s" : span.substr(digits);
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  if (unit == "ms" || unit == "msec" || unit == "us" || unit == "usec") {
    return number.size() < 4;
  }
  return (unit == "s" || unit == "sec" || unit == "second" || unit == "seconds") &&
         (number == "0" || number == "1");
}

}  // namespace

RestartPolicy restart_policy(const Unit& unit) {
  const std::vector<std::string> restart = service_values(unit.settings, "Restart");
  if (property(unit.properties, "Type") == "oneshot" ||
      (!restart.empty() && restart.back() == "no")) {
    return RestartPolicy::kUnits;
  }
  if (restart.empty()) {
    return RestartPolicy::kAdded;
  }
  const std::vector<std::string> pause = service_values(unit.settings, "RestartSec");
  return pause.empty() || is_quick(pause.back()) ? RestartPolicy::kQuick : RestartPolicy::kSlow;
}

std::vector<std::string> triggering_sockets(const Unit& unit) {
  std::vector<std::string> triggers = words_of({property(unit.properties, "TriggeredBy")});
  std::erase_if(triggers, [](const std::string& name) { return !name.ends_with(".socket"); });
  return triggers;
}

void check_system_unit(const Unit& unit, const std::vector<std::string>& run_paths,
                       const std::string& profile) {
  refuse_foundations(unit);
  refuse_snaps(unit);
  refuse_other_trees(unit);
  refuse_other_networks(unit, profile);
  refuse_system_bus(unit, run_paths);
  refuse_unseen_pid_file(unit, run_paths);
}

namespace {

// From this version on a user's service manager makes a user namespace for these (systemd 254,
// NEWS); before, they have no effect there and do no harm.
constexpr int kUserNamespaces = 254;

struct UserSetting {
  const char* name;
  enum Kind {
    kSwitch,  ///< harmless if it is off
    kAny,     ///< whatever it says
  } kind;
  int since;  ///< the version of systemd from which on it does harm
};

// Each was tried with systemd 252, 257 and 262. A user's service manager has no privilege to set up
// a filter of system calls without NO_NEW_PRIVS, under which setuid programs gain nothing; and in a
// user namespace they have no rights outside it.
constexpr std::array kHarmfulForUsers = {
    UserSetting{"NoNewPrivileges", UserSetting::kSwitch, 0},
    UserSetting{"PrivateUsers", UserSetting::kSwitch, 0},
    UserSetting{"ProtectHostname", UserSetting::kSwitch, 0},
    UserSetting{"ProtectKernelTunables", UserSetting::kSwitch, 0},
    UserSetting{"ProtectKernelModules", UserSetting::kSwitch, 0},
    UserSetting{"ProtectKernelLogs", UserSetting::kSwitch, 0},
    UserSetting{"ProtectClock", UserSetting::kSwitch, 0},
    UserSetting{"PrivateDevices", UserSetting::kSwitch, 0},
    UserSetting{"RestrictSUIDSGID", UserSetting::kSwitch, 0},
    UserSetting{"RestrictRealtime", UserSetting::kSwitch, 0},
    UserSetting{"LockPersonality", UserSetting::kSwitch, 0},
    UserSetting{"MemoryDenyWriteExecute", UserSetting::kSwitch, 0},
    UserSetting{"RestrictNamespaces", UserSetting::kSwitch, 0},
    UserSetting{"DynamicUser", UserSetting::kSwitch, 0},
    UserSetting{"SystemCallFilter", UserSetting::kAny, 0},
    UserSetting{"SystemCallArchitectures", UserSetting::kAny, 0},
    UserSetting{"SystemCallLog", UserSetting::kAny, 0},
    UserSetting{"RestrictAddressFamilies", UserSetting::kAny, 0},
    UserSetting{"RootDirectory", UserSetting::kAny, 0},
    UserSetting{"RootImage", UserSetting::kAny, 0},
    UserSetting{"RootMStack", UserSetting::kAny, 0},
    UserSetting{"UserNamespacePath", UserSetting::kAny, 0},
    UserSetting{"PrivateTmp", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"PrivateMounts", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"PrivateNetwork", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"PrivateIPC", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"PrivatePIDs", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"PrivateBPF", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"ProtectSystem", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"ProtectHome", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"ProtectControlGroups", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"MountAPIVFS", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"DelegateNamespaces", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"BindLogSockets", UserSetting::kSwitch, kUserNamespaces},
    UserSetting{"NetworkNamespacePath", UserSetting::kAny, kUserNamespaces},
    UserSetting{"IPCNamespacePath", UserSetting::kAny, kUserNamespaces},
    UserSetting{"BindPaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"BindReadOnlyPaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"TemporaryFileSystem", UserSetting::kAny, kUserNamespaces},
    UserSetting{"ReadWritePaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"ReadOnlyPaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"InaccessiblePaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"ExecPaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"NoExecPaths", UserSetting::kAny, kUserNamespaces},
    UserSetting{"ExtensionImages", UserSetting::kAny, kUserNamespaces},
    UserSetting{"ExtensionDirectories", UserSetting::kAny, kUserNamespaces},
    UserSetting{"MountImages", UserSetting::kAny, kUserNamespaces},
};

}  // namespace

void check_user_unit(const Unit& unit, int systemd_version) {
  refuse_launches(unit);
  refuse_snaps(unit);
  for (const UserSetting& setting : kHarmfulForUsers) {
    const std::vector<std::string> values = service_values(unit.settings, setting.name);
    if (values.empty() || systemd_version < setting.since) {
      continue;
    }
    const std::string& value = values.back();
    const bool is_switch = setting.kind == UserSetting::kSwitch;
    if (!is_switch || !is_off(value)) {
      refuse(unit,
             formatted("{}={} takes away the right by which vpnrun enters the namespace",
                       setting.name, printable(value)),
             formatted("'systemctl --user edit {}' and write '[Service]' and '{}={}'", unit.id,
                       setting.name, is_switch ? "no" : ""));
    }
  }
}

namespace {

/// Commands that systemd runs with all privileges.
std::vector<std::string> privileged_commands(const Unit& unit) {
  std::vector<std::string> found;
  for (const char* name : {"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost",
                           "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPost"}) {
    for (const std::string& value : service_values(unit.settings, name)) {
      for (const UnitCommand& command : split_commands(value)) {
        if (command.prefixes.find('+') != std::string::npos) {
          found.push_back(formatted("{}=+{}", name, printable(command.line)));
        }
      }
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> system_unit_warnings(const Unit& unit,
                                              const std::vector<std::string>& run_paths) {
  std::vector<std::string> warnings;
  for (const char* folder :
       {"/run/dbus", "/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon", "/run/systemd"}) {
    if (std::any_of(run_paths.begin(), run_paths.end(), [&](const std::string& path) {
          return is_below(path, folder) || is_below(folder, path);
        })) {
      warnings.push_back(formatted(
          "through '{}' the service can have names looked up outside the tunnel", folder));
      break;
    }
  }
  add_bound_paths_warning(unit, warnings);
  add_open_files_warning(unit, warnings);
  for (const std::string& command : privileged_commands(unit)) {
    warnings.push_back(
        formatted("'{}' runs in the namespace, but with all privileges and without the socket "
                  "filter",
                  command));
  }
  add_survivors_warning(unit, warnings);
  const std::string user = property(unit.properties, "User");
  const bool is_root = (user.empty() || user == "root" || user == "0") &&
                       property(unit.properties, "DynamicUser") != "yes";
  if (!is_root && property(unit.properties, "NoNewPrivileges") != "yes") {
    warnings.emplace_back(
        "its processes can no longer gain privileges by setuid programs (sudo, sendmail): the "
        "socket filter implies NoNewPrivileges= under User=");
  }
  return warnings;
}

std::vector<std::string> user_unit_warnings(const Unit& unit) {
  std::vector<std::string> warnings;
  for (const char* name : {"ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload",
                           "ExecReloadPost", "ExecStop", "ExecStopPost"}) {
    if (!service_values(unit.settings, name).empty()) {
      warnings.push_back(formatted("{}= still runs outside", name));
    }
  }
  for (const std::string& socket : triggering_sockets(unit)) {
    warnings.push_back(
        formatted("'{}' listens outside and hands its socket to the service; vpnrun warns of it "
                  "at each start",
                  socket));
  }
  add_survivors_warning(unit, warnings);
  return warnings;
}

}  // namespace vpnrun
