// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/attached.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "helper/base/name.h"
#include "launcher/ctl/attach_checks.h"
#include "launcher/ctl/processes.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

constexpr std::size_t kMaxRecord = 256;
constexpr std::string_view kNamedFolder = "/run/netns/";

std::optional<FileId> namespace_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return std::nullopt;
  }
  return FileId{.dev = info.st_dev, .ino = info.st_ino};
}

std::string recorded_profile(const std::string& file) {
  try {
    std::string text = read_file(file, kMaxRecord).value_or(std::string());
    text.erase(std::min(text.find('\n'), text.size()));
    return is_valid_profile_name(text) ? text : std::string();
  } catch (const Error&) {
    return {};  // not for this caller, or not ours
  }
}

std::string state_now(const UnitProperties& properties, const Whereabouts& where) {
  if (property(properties, "ActiveState") == "failed" ||
      property(properties, "SubState").starts_with("auto-restart")) {
    return "failed";
  }
  if (!is_running(properties)) {
    return "stopped";
  }
  if (!where.process || !(where.wanted || where.own)) {
    return "running";
  }
  if (where.wanted && *where.process == *where.wanted) {
    return "inside";
  }
  return where.own && *where.process == *where.own ? "outside" : "running";
}

/// Why the unit does not start in the namespace, and what helps.
std::pair<std::string, std::string> obstacle(const AttachedUnit& unit,
                                             const UnitProperties& properties,
                                             const Whereabouts& where, UnitScope scope,
                                             const std::string& launcher) {
  const bool is_user = scope == UnitScope::kUser;
  const std::string ctl = is_user ? "vpnrunctl {} --user {}" : "vpnrunctl {} {}";
  const std::string again = formatted(fmt::runtime(ctl + " {}"), "attach", unit.id, unit.profile);
  const std::string detach = formatted(fmt::runtime(ctl), "detach", unit.id);
  if (property(properties, "LoadState") == "not-found") {
    return {"there is no such unit any more", detach};
  }
  if (unit.file.empty()) {
    return {"its drop-in is gone ('systemctl revert' removes it): it starts outside",
            formatted("{}, or {}", again, detach)};
  }
  const std::string cat =
      formatted("'systemctl {}cat {}' shows all drop-ins", is_user ? "--user " : "", unit.id);
  if (is_user) {
    return goes_through(properties, launcher)
               ? std::pair<std::string, std::string>()
               : std::pair<std::string, std::string>(
                     "another drop-in overrides ExecStart=: it starts outside", cat);
  }
  if (const std::string setting = overridden_setting(properties, unit.profile); !setting.empty()) {
    return {formatted("{} of its drop-in is not in force: another one overrides it, or an earlier "
                      "version wrote it",
                      setting),
            formatted("{}; then: {}", cat, again)};
  }
  const std::string others = property(properties, "JoinsNamespaceOf");
  if (!others.empty()) {
    return {formatted("it shares namespaces with '{}' (JoinsNamespaceOf=), which systemd prefers "
                      "to the profile's: it may not start",
                      printable(others)),
            "leave JoinsNamespaceOf= out ('systemctl edit --full')"};
  }
  if (where.wanted && where.named != where.wanted) {
    return {formatted("{}{} does not lead to the profile's namespace any more: it cannot start",
                      kNamedFolder, unit.profile),
            formatted("systemctl reload vpnrun-netns@{}", unit.profile)};
  }
  return {};
}

}  // namespace

std::string record_folder(UnitScope scope, const Places& places, const std::string& unit_folder) {
  namespace fs = std::filesystem;
  const fs::path folder = scope == UnitScope::kSystem
                              ? fs::path(places.profile_folder).parent_path()
                              : fs::path(unit_folder).parent_path().parent_path() / "vpnrun";
  return folder / "attached";
}

void write_attached_record(const std::string& folder, const std::string& unit,
                           const std::string& profile) {
  using std::filesystem::perms;
  constexpr perms kFile =
      perms::owner_read | perms::owner_write | perms::group_read | perms::others_read;
  constexpr perms kFolder = kFile | perms::owner_exec | perms::group_exec | perms::others_exec;
  const std::string path = folder + "/" + unit;
  std::error_code failure;
  if (std::filesystem::create_directories(folder, failure)) {
    std::filesystem::permissions(folder, kFolder, failure);
  }
  std::ofstream file(path, std::ios::trunc);
  file << profile << '\n';
  file.close();
  if (!file) {
    throw_errno("cannot write '{}'", path);
  }
  std::filesystem::permissions(path, kFile, failure);  // else only its owner is told
}

bool remove_attached_record(const std::string& folder, const std::string& unit) {
  const std::string path = folder + "/" + unit;
  if (::unlink(path.c_str()) == 0) {
    (void)::rmdir(folder.c_str());  // stays if it has others
    return true;
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    throw_errno("cannot remove '{}'", path);
  }
  return false;
}

std::vector<AttachedUnit> known_units(const std::string& unit_folder, const std::string& records) {
  std::vector<AttachedUnit> units = attached_units(unit_folder);
  std::error_code absent;  // no folder: nothing is recorded
  for (const auto& entry : std::filesystem::directory_iterator(records, absent)) {
    const std::string id = entry.path().filename();
    const std::string profile = recorded_profile(entry.path());
    if (!profile.empty() &&
        std::none_of(units.begin(), units.end(),
                     [&id](const AttachedUnit& unit) { return unit.id == id; })) {
      units.push_back({id, profile, {}});
    }
  }
  std::sort(units.begin(), units.end(),
            [](const AttachedUnit& left, const AttachedUnit& right) { return left.id < right.id; });
  return units;
}

const std::vector<std::string>& attached_properties() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = in_force_properties();
    all.insert(all.end(), {"LoadState", "ActiveState", "SubState", "MainPID", "JoinsNamespaceOf"});
    return all;
  }();
  return names;
}

AttachedState judge_attached(const AttachedUnit& unit, const UnitProperties& properties,
                             const Whereabouts& where, UnitScope scope,
                             const std::string& launcher) {
  AttachedState result{
      .unit = unit, .state = state_now(properties, where), .finding = {}, .hint = {}};
  std::tie(result.finding, result.hint) = obstacle(unit, properties, where, scope, launcher);
  if (!result.finding.empty() || !where.process || result.state == "inside" ||
      !is_running(properties)) {
    return result;
  }
  const std::string restart =
      formatted("systemctl {}restart {}", scope == UnitScope::kUser ? "--user " : "", unit.id);
  if (result.state == "outside") {
    result.finding = "it still runs outside";
    result.hint = restart;
  } else if (where.wanted) {
    result.finding = "it runs in another network namespace than the profile's";
    result.hint = restart;
  }
  return result;
}

std::vector<AttachedState> states_of(const std::vector<AttachedUnit>& units,
                                     const ServiceManager& manager, const Places& places,
                                     const UnitPlaces& around) {
  std::vector<AttachedState> states;
  for (const AttachedUnit& unit : units) {
    const UnitProperties properties = manager.show(unit.id, attached_properties());
    const std::string pid = property(properties, "MainPID");
    Whereabouts where{.process = std::nullopt,
                      .own = namespace_at("/proc/self/ns/net"),
                      .wanted = std::nullopt,
                      .named = namespace_at(std::string(kNamedFolder) + unit.profile)};
    if (!pid.empty() && pid != "0") {
      where.process = namespace_at("/proc/" + pid + "/ns/net");
    }
    try {
      where.wanted = netns_of(places, unit.profile);
    } catch (const Error&) {
      where.wanted.reset();  // not prepared, or not for this caller
    }
    states.push_back(judge_attached(unit, properties, where, manager.scope(), around.launcher));
  }
  return states;
}

const std::vector<std::string>& stray_properties() {
  static const std::vector<std::string> names = {"Id", "NetworkNamespacePath", "JoinsNamespaceOf",
                                                 "PrivateNetwork"};
  return names;
}

std::vector<std::string> strays_among(const std::vector<UnitProperties>& units,
                                      const std::vector<AttachedUnit>& attached,
                                      const std::vector<std::string>& profiles, UnitScope scope) {
  std::vector<std::string> sentences;
  for (const UnitProperties& unit : units) {
    const std::string id = property(unit, "Id");
    if (id.starts_with("vpnrun") ||
        std::any_of(attached.begin(), attached.end(),
                    [&id](const AttachedUnit& one) { return one.id == id; })) {
      continue;
    }
    const std::string path = property(unit, "NetworkNamespacePath");
    if (scope == UnitScope::kUser && !path.empty()) {
      sentences.push_back(
          formatted("'{}' runs outside: in a user's unit NetworkNamespacePath= has no effect; "
                    "'vpnrunctl attach --user {} NAME' puts it behind a tunnel",
                    printable(id), printable(id)));
    }
    if (scope == UnitScope::kUser) {
      continue;
    }
    const auto named = std::find_if(
        profiles.begin(), profiles.end(),
        [&path](const std::string& name) { return path == std::string(kNamedFolder) + name; });
    if (named != profiles.end()) {
      sentences.push_back(
          formatted("'{0}' is in the namespace by NetworkNamespacePath= alone: daemons of the "
                    "machine can look "
                    "up names for it outside; 'vpnrunctl attach {0} {1}' closes that",
                    printable(id), *named));
    }
    const std::vector<std::string> joined = words_of({property(unit, "JoinsNamespaceOf")});
    const auto ours = std::find_if(joined.begin(), joined.end(), [](const std::string& name) {
      return name.starts_with("vpnrun@") || name.starts_with("vpnrun-netns@");
    });
    if (ours != joined.end()) {
      sentences.push_back(
          formatted("'{}' has {}: JoinsNamespaceOf={} does not lead into the tunnel; 'vpnrunctl "
                    "attach' does, "
                    "without that line",
                    printable(id),
                    property(unit, "PrivateNetwork") == "yes"
                        ? "no network"
                        : "the machine's own network (no PrivateNetwork=)",
                    printable(*ours)));
    }
  }
  return sentences;
}

}  // namespace vpnrun
