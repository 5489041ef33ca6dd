// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "launcher/control_client.h"
#include "launcher/ctl/attach.h"
#include "launcher/ctl/cli.h"
#include "launcher/ctl/facts.h"
#include "launcher/ctl/processes.h"
#include "launcher/ctl/show.h"
#include "launcher/ctl/unit_journal.h"
#include "launcher/launch_environment.h"
#include "launcher/report.h"
#include "launcher/terminal_person.h"
#include "launcher/tunnel_order.h"
#include "profiles/profile_store.h"

namespace vpnrun {
namespace {

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot write to standard output");
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
}

/// The profile that was named, or all that the caller may use.
std::vector<std::string> chosen_profiles(const CtlOptions& options, const Places& places,
                                         Reporter& reporter) {
  if (!options.profile.empty()) {
    return {options.profile};
  }
  std::vector<std::string> names = usable_profiles(places);
  if (names.empty()) {
    reporter.info("no profile is prepared and open to you; 'vpnrunctl list' shows all");
  }
  return names;
}

void list(const CtlOptions& options, const Places& places, Reporter& reporter) {
  const std::vector<ProfileFacts> facts = list_facts(places);
  print(options.json ? list_to_json(facts) : show_list(facts));
  if (facts.empty()) {
    reporter.info(fmt::format("there is no profile in {}", places.profile_folder));
  }
}

void status(const CtlOptions& options, const Places& places, Reporter& reporter) {
  std::vector<Status> statuses;
  for (const std::string& name : chosen_profiles(options, places, reporter)) {
    statuses.push_back(status_of(places, name));
  }
  if (options.json) {
    print(options.profile.empty() ? statuses_to_json(statuses) : to_pretty_json(statuses.front()));
    return;
  }
  for (const Status& one : statuses) {
    print(show_status(one));
  }
}

void processes(const CtlOptions& options, const Places& places, Reporter& reporter) {
  std::vector<ProfileProcesses> found;
  for (const std::string& name : chosen_profiles(options, places, reporter)) {
    found.emplace_back(name, processes_in(netns_of(places, name)));
  }
  print(options.json ? processes_to_json(found) : show_processes(found));
  if (std::any_of(found.begin(), found.end(),
                  [](const auto& one) { return one.second.hidden > 0; })) {
    reporter.info("processes of other users are not shown; root sees all");
  }
}

/// Whether somebody else can carry out the order: systemd, on root's behalf.
bool can_order_systemd(const CtlOptions& options, const Places& places) {
  const std::vector<std::string> names = profile::list_profiles(places.profile_folder);
  return ::geteuid() == 0 && has_systemd(places) &&
         std::find(names.begin(), names.end(), options.profile) != names.end();
}

Order order_for(const CtlOptions& options) {
  switch (options.verb) {
    case Verb::kDown:
      return {.command = Command::kDown, .goal = State::kDown, .patience = options.patience};
    case Verb::kRestart:
      return {.command = Command::kRestart, .goal = State::kUp, .patience = options.patience};
    default:
      return {.command = Command::kUp, .goal = State::kUp, .patience = options.patience};
  }
}

Status order(const CtlOptions& options, const Places& places, Person& person) {
  return order_tunnel(places, options.profile, order_for(options),
                      options.verb == Verb::kDown ? Start::kNo : Start::kAllowed, person);
}

/// Where a command looks, and for whom it works.
struct Surroundings {
  const Places& places;
  const UnitPlaces& units;
  char* const* environment;
};

void give_order(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const Places& places = around.places;
  TerminalPerson person(options.verbosity, environment_value(around.environment, "TERM"),
                        places.password_agents);
  Status after;
  try {
    after = order(options, places, person);
  } catch (const Unreachable& error) {
    if (options.verb == Verb::kDown && dynamic_cast<const NotRunning*>(&error) != nullptr) {
      reporter.info(fmt::format("tunnel of profile '{}': not running", options.profile));
      return;
    }
    if (options.verb == Verb::kDown || !can_order_systemd(options, places)) {
      throw;
    }
    // With the socket there is somebody to ask: the same progress, questions and patience as ever.
    ServiceManager(UnitScope::kSystem, around.units.systemctl, around.environment)
        .start("vpnrun@" + options.profile + ".socket");
    after = order(options, places, person);
  }
  reporter.info(
      fmt::format("tunnel of profile '{}': {}", options.profile, printable(state_word(after))));
}

AttachOrder attach_order(const CtlOptions& options) {
  return {.unit = options.unit,
          .profile = options.profile,
          .run_paths = options.run_paths,
          .scope = options.user ? UnitScope::kUser : UnitScope::kSystem,
          .now = options.now};
}

void attach_or_show(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const AttachOrder order = attach_order(options);
  if (!order.unit.empty()) {
    return attach(order, around.places, around.units, around.environment, reporter);
  }
  const std::vector<AttachedUnit> attached =
      attached_units(unit_folder(order.scope, around.units, around.environment));
  print(options.json ? attached_to_json(attached) : show_attached(attached));
  if (attached.empty()) {
    reporter.info("no unit is attached");
  }
}

[[noreturn]] void log(const CtlOptions& options, const Surroundings& around) {
  JournalOrder order{.profile = options.profile, .follow = options.follow, .json = options.json};
  if (!options.lines.empty()) {
    order.lines = options.lines;
  }
  show_journal(order, around.places, around.units, around.environment);
}

void carry_out(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const Places& places = around.places;
  switch (options.verb) {
    case Verb::kList:
      return list(options, places, reporter);
    case Verb::kStatus:
      return status(options, places, reporter);
    case Verb::kProcesses:
      return processes(options, places, reporter);
    case Verb::kLog:
      return log(options, around);
    case Verb::kAttach:
      return attach_or_show(options, around, reporter);
    case Verb::kDetach:
      return detach(attach_order(options), around.units, around.environment, reporter);
    case Verb::kUp:
    case Verb::kDown:
    case Verb::kRestart:
      return give_order(options, around, reporter);
  }
}

}  // namespace

int run_vpnrunctl(int argc, char* const* argv, char* const* environment, const Places& places,
                  const UnitPlaces& units) {
  Reporter reporter("vpnrunctl", Verbosity::kNormal);
  std::variant<CtlOptions, Information> parsed;
  try {
    parsed = parse_ctl(argc, argv);
  } catch (const Error& error) {
    reporter.error(error);
    return kCtlUsage;
  }
  try {
    if (const auto* information = std::get_if<Information>(&parsed)) {
      print(information->text);
      return 0;
    }
    const auto& options = std::get<CtlOptions>(parsed);
    Reporter wanted("vpnrunctl", options.verbosity);
    carry_out(options, {places, units, environment}, wanted);
    return 0;
  } catch (const Error& error) {
    reporter.error(error);
  } catch (const std::exception& error) {
    reporter.error(Error(printable(error.what())));
  }
  return kCtlFailed;
}

}  // namespace vpnrun
