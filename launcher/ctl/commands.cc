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

#include <fmt/ranges.h>

#include "launcher/control_client.h"
#include "launcher/ctl/attach.h"
#include "launcher/ctl/attached.h"
#include "launcher/ctl/cli.h"
#include "launcher/ctl/facts.h"
#include "launcher/ctl/processes.h"
#include "launcher/ctl/show.h"
#include "launcher/ctl/strays.h"
#include "launcher/ctl/tunnel_log.h"
#include "launcher/exceptions_note.h"
#include "launcher/launch_environment.h"
#include "launcher/left_out_text.h"
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

/// What to do where there is no profile at all.
std::string no_profile_hint(const Places& places) {
  return formatted(
      "as root, write {}/NAME.toml, with your provider's file beside it: vpnrun-profile(5) "
      "has an example",
      places.profile_folder);
}

void say_there_is_none(const Places& places, Reporter& reporter) {
  reporter.info(formatted("there is no profile in {}\nhint: {}", places.profile_folder,
                          no_profile_hint(places)));
}

/// The profile that was named, or all that the caller may use.
std::vector<std::string> chosen_profiles(const CtlOptions& options, const Places& places,
                                         Reporter& reporter) {
  if (!options.profile.empty()) {
    return {options.profile};
  }
  std::vector<std::string> names = usable_profiles(places);
  if (names.empty() && profile::list_profiles(places.profile_folder).empty()) {
    say_there_is_none(places, reporter);
  } else if (names.empty()) {
    reporter.info(
        "no profile is prepared and open to you\n"
        "hint: 'vpnrunctl list' shows all; as root, 'vpnrunctl up NAME' starts one");
  }
  return names;
}

/// The profile that was named, or the only one. Throws Error if there are several, or none.
std::string one_profile(const CtlOptions& options, const Places& places) {
  if (!options.profile.empty()) {
    return options.profile;
  }
  std::vector<std::string> names = usable_profiles(places);
  if (names.empty()) {
    names = profile::list_profiles(places.profile_folder);
  }
  if (names.empty()) {
    throw Error(formatted("there is no profile in {}", places.profile_folder),
                std::make_error_code(std::errc::no_such_file_or_directory),
                no_profile_hint(places));
  }
  if (names.size() > 1) {
    throw Error("there are several profiles", std::make_error_code(std::errc::invalid_argument),
                formatted("vpnrunctl log NAME, with one of: {}", fmt::join(names, ", ")));
  }
  return names.front();
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
  } else if (!found.empty() && std::all_of(found.begin(), found.end(), [](const auto& one) {
               return one.second.processes.empty();
             })) {
    reporter.info(formatted(
        "nothing runs there\nhint: 'vpnrun -p {} COMMAND' starts a program behind the tunnel",
        found.front().first));
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

/// What is wrong with the profile itself: systemd would only say that a unit does not start.
void refuse_mistakes(const CtlOptions& options, const Places& places) {
  try {
    (void)profile::load_profile(places.profile_folder, options.profile, profile::Trust::kRootOwned);
  } catch (const Error& error) {
    const std::string again =
        formatted("mend that, then: vpnrunctl {} {}",
                  options.verb == Verb::kRestart ? "restart" : "up", options.profile);
    throw Error(
        formatted("cannot start the tunnel of profile '{}': {}", options.profile, error.what()),
        error.code(), error.hint().empty() ? again : error.hint());
  }
}

void give_order(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const Places& places = around.places;
  TerminalPerson person(options.verbosity, environment_value(around.environment, "TERM"),
                        places.password_agents);
  Status after;
  try {
    after = order(options, places, person);
  } catch (const Unreachable& error) {
    if (options.verb == Verb::kDown && dynamic_cast<const NotRunning*>(&error) != nullptr) {
      reporter.info(formatted("tunnel of profile '{}': not running", options.profile));
      return;
    }
    if (options.verb == Verb::kDown || !can_order_systemd(options, places)) {
      throw;
    }
    // With the socket there is somebody to ask: the same progress, questions and patience as ever.
    refuse_mistakes(options, places);
    const ServiceManager systemd(UnitScope::kSystem, around.units.systemctl, around.environment);
    const std::string tunnel = "vpnrun@" + options.profile;
    const std::string namespaces = "vpnrun-netns@" + options.profile + ".service";
    // However often it has failed: whoever orders it now has mended something, or wants to see why.
    // By pattern: a unit that is not loaded is none of those that match, and no error.
    systemd.reset_failed({namespaces + "*", tunnel + ".*"});
    systemd.start(namespaces);
    systemd.start(tunnel + ".socket");
    after = order(options, places, person);
  }
  for (const std::string& warning : after.warnings) {
    reporter.warn(printable(warning));
  }
  reporter.info(
      formatted("tunnel of profile '{}': {}", options.profile, printable(state_word(after))));
  if (options.verb != Verb::kDown) {
    const LeftOutText text = left_out_text(after);
    if (!text.note.empty()) {
      reporter.info(text.note);
    }
    if (!text.warning.empty()) {
      reporter.warn(text.warning);
    }
    if (const std::string note = exceptions_note(after); !note.empty()) {
      reporter.info(note);
    }
  }
}

AttachOrder attach_order(const CtlOptions& options, const std::string& unit) {
  return {.unit = unit,
          .profile = options.profile,
          .run_paths = options.run_paths,
          .scope = options.user ? UnitScope::kUser : UnitScope::kSystem,
          .now = options.now,
          .force = options.force};
}

/// Each of several units: what cannot be done for one is said, and the others follow. Throws the
/// last of the errors.
template <class Do>
void for_each_unit(const CtlOptions& options, Reporter& reporter, Do act) {
  std::vector<Error> errors;
  for (const std::string& unit : options.units) {
    try {
      act(attach_order(options, unit));
    } catch (const Error& error) {
      errors.push_back(error);
    }
  }
  for (std::size_t i = 0; i + 1 < errors.size(); ++i) {
    reporter.error(errors[i]);
  }
  if (!errors.empty()) {
    throw Error(errors.back());
  }
}

/// Units that are attached but will not start, or are not, in the namespace.
void warn_of(const std::vector<AttachedState>& states, Reporter& reporter) {
  for (const AttachedState& one : states) {
    if (!one.finding.empty()) {
      reporter.warn(formatted("'{}' is attached to '{}', but {}; {}", printable(one.unit.id),
                              one.unit.profile, one.finding, one.hint));
    }
  }
}

/// The same for those that are attached to one of `profiles`. Says nothing where nobody attached
/// any, or systemd cannot be asked: it is not what the caller wanted to know.
void warn_of_attached(const std::vector<std::string>& profiles, const Surroundings& around,
                      Reporter& reporter) {
  std::vector<AttachedUnit> units =
      known_units(around.units.system_units,
                  record_folder(UnitScope::kSystem, around.places, around.units.system_units));
  std::erase_if(units, [&profiles](const AttachedUnit& unit) {
    return std::find(profiles.begin(), profiles.end(), unit.profile) == profiles.end();
  });
  try {
    const ServiceManager manager(UnitScope::kSystem, around.units.systemctl, around.environment);
    warn_of(states_of(units, manager, around.places, around.units), reporter);
  } catch (const Error&) {
    return;
  }
}

void list(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const Places& places = around.places;
  const std::vector<ProfileFacts> facts = list_facts(places);
  print(options.json ? list_to_json(facts) : show_list(facts));
  if (facts.empty()) {
    say_there_is_none(places, reporter);
  }
  for (const std::string& note : find_strays(places, around.units)) {
    reporter.info(note);
  }
  warn_of_attached(profile::list_profiles(places.profile_folder), around, reporter);
}

void status(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const std::vector<std::string> names = chosen_profiles(options, around.places, reporter);
  std::vector<Status> statuses;
  statuses.reserve(names.size());
  for (const std::string& name : names) {
    statuses.push_back(status_of(around.places, name));
  }
  if (options.json) {
    print(options.profile.empty() ? statuses_to_json(statuses) : to_pretty_json(statuses.front()));
  } else {
    for (const Status& one : statuses) {
      print(show_status(one));
    }
  }
  warn_of_attached(names, around, reporter);
}

void show_attachments(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const UnitScope scope = options.user ? UnitScope::kUser : UnitScope::kSystem;
  const std::string folder = unit_folder(scope, around.units, around.environment);
  const std::vector<AttachedUnit> units =
      known_units(folder, record_folder(scope, around.places, folder));
  const ServiceManager manager(scope, around.units.systemctl, around.environment);
  const std::vector<AttachedState> states = states_of(units, manager, around.places, around.units);
  print(options.json ? attached_to_json(states) : show_attached(states));
  if (units.empty()) {
    reporter.info("no unit is attached\nhint: 'vpnrunctl attach UNIT NAME' attaches one");
  }
  warn_of(states, reporter);
  for (const std::string& stray :
       strays_among(manager.show_services(stray_properties()), units,
                    profile::list_profiles(around.places.profile_folder), scope)) {
    reporter.warn(stray);
  }
}

void attach_or_show(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  if (options.units.empty()) {
    return show_attachments(options, around, reporter);
  }
  for_each_unit(options, reporter, [&](const AttachOrder& order) {
    attach(order, around.places, around.units, around.environment, reporter);
  });
}

void detach_all(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  for_each_unit(options, reporter, [&](const AttachOrder& order) {
    detach(order, around.places, around.units, around.environment, reporter);
  });
}

/// Which ports are open from the tunnel, or with `add` and `remove` an order to change that.
void inbound(const CtlOptions& options, const Places& places, Reporter& reporter) {
  if (options.action != "add" && options.action != "remove") {
    const Status status = status_of(places, options.profile);
    print(options.json ? inbound_to_json(status) : show_inbound(status));
    if (status.inbound.empty()) {
      reporter.info(
          status.pid == 0
              ? formatted("no port is open from the tunnel of profile '{}': it is not running",
                          options.profile)
              : formatted("no port is open from the tunnel of profile '{0}'\n"
                          "hint: as root, 'vpnrunctl inbound {0} add tcp/NUMBER' opens one",
                          options.profile));
    }
    return;
  }
  ControlRequest request;
  request.command = Command::kInbound;
  (options.action == "add" ? request.add : request.remove) = options.ports;
  ControlClient client = ControlClient::connect_if_running(places, options.profile);
  client.send(request);
  const std::optional<ControlReply> reply = client.receive(SteadyClock::now() + kReplyPatience);
  const auto failure = [&options](const std::string& reason, std::errc code,
                                  const std::string& hint) {
    return Error(formatted("cannot change which ports are open from the tunnel of profile '{}': "
                           "{}",
                           options.profile, reason),
                 std::make_error_code(code), hint);
  };
  if (!reply) {
    throw failure("it does not answer", std::errc::timed_out, "");
  }
  if (!reply->ok) {
    throw failure(printable(reply->error), std::errc::operation_not_permitted,
                  printable(reply->hint));
  }
}

void log(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  LogOrder order{.profile = one_profile(options, around.places),
                 .follow = options.follow,
                 .json = options.json};
  if (!options.lines.empty()) {
    order.lines = options.lines;
  }
  show_log(order, around.places, around.units, around.environment, print,
           [&reporter](std::string_view text) { reporter.info(text); });
}

void carry_out(const CtlOptions& options, const Surroundings& around, Reporter& reporter) {
  const Places& places = around.places;
  switch (options.verb) {
    case Verb::kList:
      return list(options, around, reporter);
    case Verb::kStatus:
      return status(options, around, reporter);
    case Verb::kProcesses:
      return processes(options, places, reporter);
    case Verb::kLog:
      return log(options, around, reporter);
    case Verb::kInbound:
      return inbound(options, places, reporter);
    case Verb::kAttach:
      return attach_or_show(options, around, reporter);
    case Verb::kDetach:
      return detach_all(options, around, reporter);
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
