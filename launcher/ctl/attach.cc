// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/attach.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>

#include "launcher/ctl/attach_checks.h"
#include "launcher/ctl/attached.h"
#include "launcher/ctl/drop_in_text.h"
#include "launcher/ctl/listeners.h"
#include "launcher/ctl/lockout.h"
#include "launcher/launch_environment.h"
#include "profiles/base/error.h"
#include "profiles/profile_store.h"

namespace vpnrun {
namespace {

void require_profile(const Places& places, const std::string& name) {
  const std::vector<std::string> names = profile::list_profiles(places.profile_folder);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    // For the error and its hint.
    (void)profile::load_profile(places.profile_folder, name, profile::Trust::kAnyOwner);
  }
}

void require_rights(const AttachOrder& order, std::string_view verb) {
  if (order.scope == UnitScope::kSystem && ::geteuid() != 0) {
    throw Error(formatted("cannot {} '{}': only root changes the machine's units", verb,
                          printable(order.unit)),
                std::make_error_code(std::errc::operation_not_permitted),
                "sudo vpnrunctl …, or --user for a unit of your own");
  }
}

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code absent;  // is the same as empty
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Whether a file can be laid over `path` without being made on the host first. A link that leads
/// nowhere is followed by systemd; into /run, which is the service's own, that does no harm.
bool is_coverable(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    return true;
  }
  std::error_code unreadable;  // then it is not a link
  const std::filesystem::path target = std::filesystem::read_symlink(path, unreadable);
  const std::string whole =
      (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
  return !unreadable && (whole.starts_with("/run/") || whole.starts_with("/var/run/"));
}

/// The resolver's files and those of /etc/netns/NAME; the latter win, and need something to be laid
/// over: otherwise systemd would make it on the host.
std::vector<std::pair<std::string, std::string>> overlays_of(const std::string& profile,
                                                             const UnitPlaces& units,
                                                             Reporter& reporter) {
  std::vector<std::pair<std::string, std::string>> overlays;
  const std::string own_folder = units.netns_etc + "/" + profile;
  const std::vector<std::string> own = entries_of(own_folder);
  for (const char* name : {"nsswitch.conf", "resolv.conf"}) {
    if (!is_coverable(units.etc + "/" + name)) {
      reporter.warn(
          formatted("there is no /etc/{} to lay the tunnel's over: make one, and "
                    "attach the unit again",
                    name));
    } else if (std::find(own.begin(), own.end(), name) == own.end()) {
      // Below the place that systemd knows it by, not where a test has it.
      overlays.emplace_back(formatted("/run/vpnrun/{}/etc/{}", profile, name),
                            std::string("/etc/") + name);
    }
  }
  for (const std::string& name : own) {
    if (printable(name) != name || !is_coverable(units.etc + "/" + name)) {
      reporter.warn(formatted("'{}/{}' is left out: there is no such name in /etc", own_folder,
                              printable(name)));
      continue;
    }
    overlays.emplace_back(formatted("/etc/netns/{}/{}", profile, name), "/etc/" + name);
  }
  return overlays;
}

/// Throws Error with `reason`, or warns of it if the caller insists.
void refuse_unless_forced(const AttachOrder& order, const Unit& unit, const std::string& reason,
                          const std::string& hint, Reporter& reporter) {
  if (!order.force) {
    throw Error(formatted("cannot attach '{}': {}", unit.id, reason),
                std::make_error_code(std::errc::operation_not_permitted),
                hint + "--force attaches it all the same");
  }
  reporter.warn(formatted("'{}': {}", unit.id, reason));
}

/// Units behind which the administrator would lock himself out.
void refuse_lockout(const AttachOrder& order, const Unit& unit, Reporter& reporter) {
  const std::string what = lockout_of(unit);
  if (!what.empty()) {
    refuse_unless_forced(
        order, unit, formatted("it is there for {}, and behind the tunnel nobody reaches it", what),
        "", reporter);
  }
}

/// A service after the tunnel that is before it as well: systemd would leave one of them out.
void refuse_cycle(const AttachOrder& order, const Unit& unit, const ServiceManager& manager) {
  const std::string tunnel = "vpnrun@" + order.profile + ".service";
  const std::vector<std::string> earlier = manager.units_before(tunnel);
  // The unit is not among them if systemd has not loaded it; what it is to be before is.
  std::vector<std::string> asked = words_of({property(unit.properties, "Before")});
  asked.push_back(unit.id);
  const auto found = std::find_first_of(asked.begin(), asked.end(), earlier.begin(), earlier.end());
  if (found != asked.end()) {
    throw Error(
        formatted("cannot attach '{}': it is started before {}, and the tunnel after that", unit.id,
                  *found == unit.id ? "what the tunnel itself waits for" : *found),
        std::make_error_code(std::errc::not_supported),
        formatted("'systemctl list-dependencies --after {}' shows what comes first", tunnel));
  }
}

/// What is handed to the service comes from outside, and is answered there.
void refuse_sockets(const AttachOrder& order, const Unit& unit, const ServiceManager& manager,
                    Reporter& reporter) {
  for (const std::string& socket : triggering_sockets(unit)) {
    const UnitProperties shown = manager.show(socket, {"Listen", "NetworkNamespacePath"});
    if (property(shown, "NetworkNamespacePath") == "/run/netns/" + order.profile) {
      continue;
    }
    std::string addresses;
    for (const ListenAddress& one : listen_addresses(property(shown, "Listen"))) {
      addresses += is_internet(one) ? (addresses.empty() ? "" : ", ") + printable(one.address) : "";
    }
    if (addresses.empty()) {
      reporter.warn(
          formatted("'{}' listens outside and hands its socket to the service, which "
                    "can answer past the tunnel",
                    socket));
      continue;
    }
    refuse_unless_forced(
        order, unit,
        formatted("'{}' listens outside, at {}, and hands its socket to the service, which "
                  "answers past the tunnel",
                  socket, addresses),
        formatted("in '{0}' write '[Socket]' and 'NetworkNamespacePath=/run/netns/{1}', "
                  "'[Unit]' and 'BindsTo=vpnrun-netns@{1}.service' and "
                  "'After=vpnrun-netns@{1}.service' (systemctl edit {0}); ",
                  socket, order.profile),
        reporter);
  }
}

/// Those of the profile that the service's clients already reach it by.
std::vector<profile::Port> open_ports(const Places& places, const std::string& name) {
  try {
    const profile::Ports ports =
        profile::load_profile(places.profile_folder, name, profile::Trust::kAnyOwner).ports;
    std::vector<profile::Port> all = ports.expose;
    all.insert(all.end(), ports.inbound.begin(), ports.inbound.end());
    return all;
  } catch (const Error&) {
    return {};  // what is wrong with it is said when it is prepared
  }
}

/// Says at which addresses nobody reaches the service any more.
void warn_of_ports(const AttachOrder& order, const Unit& unit, const Places& places,
                   Reporter& reporter) {
  const std::vector<profile::Port> open = open_ports(places, order.profile);
  std::string addresses;
  std::string ports;
  for (const Listener& one : listeners_of(property(unit.properties, "ControlGroup"))) {
    const bool is_open = std::any_of(open.begin(), open.end(), [&one](const profile::Port& port) {
      return port.number == one.port && to_string(port.transport) == one.protocol;
    });
    if (is_open) {
      continue;
    }
    addresses +=
        formatted("{}{}:{}/{}", addresses.empty() ? "" : ", ", one.address, one.port, one.protocol);
    const std::string port = formatted("\"{}/{}\"", one.protocol, one.port);
    if (ports.find(port) == std::string::npos) {
      ports += (ports.empty() ? "" : ", ") + port;
    }
  }
  if (!addresses.empty()) {
    reporter.warn(formatted(
        "'{0}' listens at {1}: behind the tunnel neither this machine nor others reach it there. "
        "In {2}/{3}.toml, [ports] expose = [{4}] opens that for this machine, inbound = [{4}] for "
        "the tunnel's side",
        unit.id, addresses, places.profile_folder, order.profile, ports));
  }
}

std::string system_text(const Unit& unit, const AttachOrder& order, const UnitPlaces& units,
                        const ServiceManager& manager, Reporter& reporter) {
  std::vector<std::string> paths;
  for (const std::string& path : order.run_paths) {
    paths.push_back(checked_run_path(path));
  }
  check_system_unit(unit, paths, order.profile);
  refuse_cycle(order, unit, manager);
  refuse_lockout(order, unit, reporter);
  refuse_sockets(order, unit, manager, reporter);
  for (const std::string& warning : system_unit_warnings(unit, paths)) {
    reporter.warn(warning);
  }
  SystemDropIn drop_in{.id = unit.id,
                       .profile = order.profile,
                       .overlays = overlays_of(order.profile, units, reporter),
                       .run_paths = runtime_directories(unit),
                       .dynamic_user = property(unit.properties, "DynamicUser") == "yes",
                       .call_errors = call_errors(unit),
                       .has_no_families = has_no_families(unit),
                       .has_own_families = has_own_families(unit),
                       .restart = restart_policy(unit),
                       .companion = units.companion,
                       .limits_programs = !service_values(unit.settings, "NoExecPaths").empty()};
  drop_in.run_paths.insert(drop_in.run_paths.end(), paths.begin(), paths.end());
  struct stat info {};
  drop_in.has_var_run = ::lstat(units.var_run.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  return system_drop_in_text(drop_in);
}

std::string user_text(const Unit& unit, const AttachOrder& order, const UnitPlaces& units,
                      int systemd_version, Reporter& reporter) {
  check_user_unit(unit, systemd_version);
  std::vector<UnitCommand> commands;
  for (const std::string& value : service_values(unit.settings, "ExecStart")) {
    const std::vector<UnitCommand> more = split_commands(value);
    commands.insert(commands.end(), more.begin(), more.end());
  }
  if (commands.empty()) {
    throw Error(formatted("cannot attach '{}': it starts nothing (ExecStart=)", unit.id),
                std::make_error_code(std::errc::invalid_argument));
  }
  for (const std::string& warning : user_unit_warnings(unit)) {
    reporter.warn(warning);
  }
  return user_drop_in_text(unit.id, order.profile, units.launcher, commands);
}

/// Whether systemd has read what we wrote: a later drop-in can undo it.
bool is_in_force(const ServiceManager& manager, const AttachOrder& order, const UnitPlaces& units,
                 const std::string& id) {
  const UnitProperties now = manager.show(id, in_force_properties());
  return manager.scope() == UnitScope::kUser ? goes_through(now, units.launcher)
                                             : overridden_setting(now, order.profile).empty();
}

/// Writes `text`, and takes it back if systemd does not heed it. Where the unit was until now.
std::string_view put_in_force(const ServiceManager& manager, const AttachOrder& order,
                              const UnitPlaces& units, const std::string& id,
                              const std::string& text, const std::string& path) {
  const std::optional<std::string> before = read_drop_in(path);
  write_drop_in(path, text);
  try {
    manager.reload();
    if (!is_in_force(manager, order, units, id)) {
      throw Error(formatted("cannot attach '{}': another drop-in of the unit overrides ours", id),
                  {}, formatted("'{}' shows them all", manager.command("cat", id)));
    }
  } catch (const Error&) {
    if (before) {
      write_drop_in(path, *before);
    } else {
      remove_drop_in(path);
    }
    manager.reload();
    throw;
  }
  return before ? "where it was" : "outside";
}

/// Restarts the unit, and watches it for a while. Throws Error if it no longer runs.
void restart(const ServiceManager& manager, const UnitPlaces& units, const std::string& id) {
  constexpr std::chrono::milliseconds kPause{50};
  std::string failure;
  try {
    manager.restart_if_running(id);
  } catch (const Error&) {
    failure = failure_of(manager.show(id, failure_properties()));
    if (failure.empty()) {
      throw;
    }
  }
  const auto end = std::chrono::steady_clock::now() + units.settle;
  const std::string before = property(manager.show(id, {"NRestarts"}), "NRestarts");
  while (failure.empty() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kPause);
    const UnitProperties now = manager.show(id, failure_properties());
    failure = failure_of(now);
    if (failure.empty() && property(now, "NRestarts") != before) {
      failure = "it ended, and was started again by systemd";
    }
  }
  if (!failure.empty()) {
    throw Error(formatted("'{}' does not start any more: {}", id, failure), {},
                formatted("'{}' says why", manager.command("status", id)));
  }
}

/// A unit that is running stays where it is until it is restarted.
void move_now(const ServiceManager& manager, const AttachOrder& order, const UnitPlaces& units,
              const std::string& id, std::string_view where, Reporter& reporter) {
  if (!is_running(manager.show(id, {"ActiveState"}))) {
    return;
  }
  if (order.now) {
    restart(manager, units, id);
    return;
  }
  reporter.warn(formatted("'{}' still runs {}: '{}' moves it (or --now)", id, where,
                          manager.command("restart", id)));
}

void make_user_folder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(formatted("cannot make '{}': {}", folder, failure.message()), failure);
  }
}

}  // namespace

std::string unit_folder(UnitScope scope, const UnitPlaces& units, char* const* environment) {
  if (scope == UnitScope::kSystem) {
    return units.system_units;
  }
  if (::geteuid() == 0 && environment_value(environment, "XDG_RUNTIME_DIR") == nullptr) {
    throw Error("root has no service manager of its own here",
                std::make_error_code(std::errc::operation_not_permitted),
                "users attach their own units, in a login session; without --user: the machine's");
  }
  const char* config = environment_value(environment, "XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') {
    return std::string(config) + "/systemd/user";
  }
  const char* home = environment_value(environment, "HOME");
  if (home == nullptr || *home != '/') {
    throw Error("cannot find your units: HOME is not set");
  }
  return std::string(home) + "/.config/systemd/user";
}

void attach(const AttachOrder& order, const Places& places, const UnitPlaces& units,
            char* const* environment, Reporter& reporter) {
  require_rights(order, "attach");
  const ServiceManager manager(order.scope, units.systemctl, environment);
  const std::string folder = unit_folder(order.scope, units, environment);
  const std::string name = service_name(order.unit);
  require_profile(places, order.profile);
  const bool is_user = order.scope == UnitScope::kUser;
  const Unit unit = load_unit(manager, name, folder);
  const std::string text = is_user ? user_text(unit, order, units, manager.version(), reporter)
                                   : system_text(unit, order, units, manager, reporter);
  if (is_user) {
    make_user_folder(folder);
  } else if (is_running(unit.properties)) {
    // systemd stops at once what is bound to a unit that does not run.
    manager.start("vpnrun-netns@" + order.profile + ".service");
  }
  const std::string_view until_now =
      put_in_force(manager, order, units, unit.id, text, drop_in_path(folder, unit.id));
  write_attached_record(record_folder(order.scope, places, folder), unit.id, order.profile);
  reporter.info(formatted("'{}' is attached to profile '{}'", unit.id, order.profile));
  if (!is_user) {
    warn_of_ports(order, unit, places, reporter);  // before it is moved
  }
  move_now(manager, order, units, unit.id, until_now, reporter);
}

void detach(const AttachOrder& order, const Places& places, const UnitPlaces& units,
            char* const* environment, Reporter& reporter) {
  require_rights(order, "detach");
  const ServiceManager manager(order.scope, units.systemctl, environment);
  const std::string folder = unit_folder(order.scope, units, environment);
  std::string id = service_name(order.unit);
  // An alias leads to the unit; of a unit that is no longer there the name is all there is.
  const UnitProperties properties = manager.show(id, {"Id", "LoadState"});
  if (property(properties, "LoadState") == "loaded") {
    id = service_name(property(properties, "Id"));
  }
  const std::string path = drop_in_path(folder, id);
  const bool has_drop_in = read_drop_in(path).has_value();
  if (!remove_attached_record(record_folder(order.scope, places, folder), id) && !has_drop_in) {
    reporter.info(formatted("'{}' is not attached", id));
    return;
  }
  remove_drop_in(path);
  manager.reload();
  reporter.info(formatted("'{}' is detached", id));
  move_now(manager, order, units, id, "behind the tunnel", reporter);
}

}  // namespace vpnrun
