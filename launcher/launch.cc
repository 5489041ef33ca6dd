// SPDX-License-Identifier: GPL-2.0-or-later
//
// A launch in five steps, each of which only the one before makes possible:
//   1. choose      which profile: options, environment, configuration. Must not: ask the machine.
//                  Then what cannot work is refused: snaps, callers in another network, commands
//                  that a program outside would carry out.
//   2. connect     to the companion, unless its lock says that the tunnel is up; the kernel decides
//                  by the directory's permissions, both for the socket and for the lock.
//   3. wait        nothing if the tunnel is up; progress and questions otherwise.
//   4. look        whether we are inside already, and for what the command will not find there, or
//                  should not have: displays and services of the machine's loopback, sockets for
//                  32-bit programs, sockets that would stay outside.
//   5. exec        the helper, or the command itself if we are inside.
#include "launcher/launch.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "helper/base/request_format.h"
#include "launcher/exceptions_note.h"
#include "launcher/hand_over.h"
#include "launcher/i386.h"
#include "launcher/launch_environment.h"
#include "launcher/left_out_text.h"
#include "launcher/profile_choice.h"
#include "launcher/program.h"
#include "launcher/snap.h"
#include "launcher/standpoint.h"
#include "launcher/terminal_person.h"
#include "launcher/tunnel_order.h"
#include "launcher/unix_sockets.h"
#include "launcher/unreachable.h"
#include "launcher/user_config.h"

namespace vpnrun {
namespace {

std::string string_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string choose(const LaunchOptions& options, const Places& places, char* const* environment,
                   Reporter& reporter) {
  ChoiceInputs inputs{
      .option = options.profile,
      .environment = string_or_empty(environment_value(environment, "VPNRUN_PROFILE")),
      .config_files = {},
      .command = *options.command};
  const std::string own = user_config_path(environment_value(environment, "XDG_CONFIG_HOME"),
                                           environment_value(environment, "HOME"));
  if (!own.empty()) {
    inputs.config_files.push_back(own);
  }
  inputs.config_files.push_back(places.system_config);
  const Choice choice = choose_profile(inputs, places);
  if (reporter.verbosity() == Verbosity::kVerbose) {
    reporter.debug(formatted("profile '{}' by {}", choice.profile, printable(choice.source)));
  }
  return choice.profile;
}

/// Whether it was not up before.
bool wait_for_tunnel(const std::string& profile, const LaunchOptions& options, const Places& places,
                     char* const* environment, Reporter& reporter) {
  const bool was_up = is_up(runtime_directory(places, profile));
  if (reporter.verbosity() != Verbosity::kVerbose && was_up) {
    return false;
  }
  TerminalPerson person(options.verbosity, environment_value(environment, "TERM"),
                        places.password_agents);
  const Order order{.command = options.start_tunnel ? Command::kUp : Command::kStatus,
                    .goal = State::kUp,
                    .patience = options.patience};
  const Status status = order_tunnel(places, profile, order,
                                     options.start_tunnel ? Start::kAllowed : Start::kNo, person);
  if (reporter.verbosity() == Verbosity::kVerbose) {
    reporter.debug(
        formatted("tunnel up on {} by {}", printable(status.device), printable(status.endpoint)));
  }
  if (!was_up) {  // the launches that follow need not be told
    const LeftOutText text = left_out_text(status);
    if (!text.note.empty()) {
      reporter.info(text.note);
    }
    if (!text.warning.empty()) {
      reporter.warn(text.warning);
    }
    if (const std::string note = exceptions_note(status); !note.empty()) {
      reporter.info(note);
    }
  }
  return !was_up;
}

/// execvp(3) and the exit status for its failure.
int become_command(char* const* command, char* const* environment, Reporter& reporter) {
  ::execvp(*command, command);
  const int saved = errno;
  const std::error_code code(saved, std::generic_category());
  const std::string name = *command;
  // A folder of PATH that may not be searched is EACCES to execvp(3), too.
  const bool absent =
      saved == ENOENT || saved == ENOTDIR ||
      (saved == EACCES && name.find('/') == std::string::npos && !is_in_path(name, environment));
  reporter.error(Error(formatted("cannot execute '{}': {}", printable(name),
                                 absent ? std::string("not found") : code.message()),
                       code));
  return absent ? kExitNotFound : kExitNotExecutable;
}

[[noreturn]] void become_helper(const std::string& profile, const LaunchOptions& options,
                                const Places& places, char* const* environment) {
  ::rlimit stack{};
  (void)::getrlimit(RLIMIT_STACK, &stack);  // cannot fail: a valid resource and address
  HelperCall call(profile, options.command, environment, stack.rlim_cur);
  ::execve(places.helper.c_str(), call.arguments(), call.environment());
  const int saved = errno;
  const std::error_code code(saved, std::generic_category());
  throw Error(formatted("cannot start the helper '{}': {}", places.helper, code.message()), code,
              saved == E2BIG ? "arguments and environment are too long"
                             : "install vpnrun again: this program belongs to it");
}

void look_for_outside_sockets(const LaunchOptions& options, Reporter& reporter) {
  if (reporter.verbosity() == Verbosity::kQuiet && !options.strict) {
    return;
  }
  const auto sockets = outside_sockets(options.strict ? Look::kAll : Look::kQuick);
  if (options.strict && !sockets.empty()) {
    std::string text;
    for (const auto& socket : sockets) {
      text += formatted("{}{} ({})", text.empty() ? "" : ", ", socket.fd, socket.description);
    }
    throw Error(
        "cannot start with network sockets that were made outside the tunnel: descriptor " + text,
        std::make_error_code(std::errc::operation_not_permitted),
        "close them first, as in 'vpnrun --strict COMMAND 5<&-'; or leave out --strict");
  }
  for (const auto& socket : sockets) {
    reporter.warn(
        formatted("inherited descriptor {} is a network socket made outside the tunnel ({}): "
                  "what is sent over it does not go through the tunnel",
                  socket.fd, socket.description));
  }
}

/// Commands that a program outside would carry out are refused if that is certain.
void refuse_hand_over(const ProfileStandpoint& standpoint, const LaunchOptions& options,
                      const Program& program, const Places& places, char* const* environment,
                      Reporter& reporter) {
  if (!may_hand_over(*options.command, program) || standpoint.is_inside()) {
    return;
  }
  UnixSockets sockets(places.proc + "/net/unix");
  const auto& record = standpoint.record();
  const OwnProcesses processes(places.proc, record ? record->netns : FileId{});
  const auto found = find_hand_over(options.command, program, environment, sockets, processes);
  if (!found) {
    return;
  }
  const std::string name = printable(command_name(*options.command));
  if (found->certain && !options.force) {
    throw Error(formatted("cannot start '{}': it would {}", name, found->text),
                std::make_error_code(std::errc::operation_not_permitted),
                found->hint + "; --force starts it all the same");
  }
  reporter.warn(Warning{formatted("'{}' {} {}", name, found->certain ? "will" : "may", found->text),
                        found->hint});
}

void warn_of_the_inside(const std::string& profile, const ProfileStandpoint& standpoint,
                        const LaunchOptions& options, const Program& program, const Places& places,
                        char* const* environment, Reporter& reporter) {
  if (reporter.verbosity() == Verbosity::kQuiet) {
    return;
  }
  if (const auto& record = standpoint.record()) {
    const bool opens = record->i386 == 1;
    const Is32Bit is_32_bit =
        opens ? Is32Bit::kNo : look_for_i386(*options.command, program, environment);
    if (const auto warning = i386_warning(profile, opens, *options.command, is_32_bit)) {
      reporter.warn(*warning);
    }
  }
  UnixSockets sockets(places.proc + "/net/unix");
  for (const Warning& warning : unreachable_inside(profile, environment, places, sockets)) {
    reporter.warn(warning);
  }
}

}  // namespace

int launch(const LaunchOptions& options, const Places& places, char* const* environment,
           Reporter& reporter) {
  const std::string profile = choose(options, places, environment, reporter);
  const Program program = find_program(*options.command, environment);
  refuse_snap(*options.command, program);
  ProfileStandpoint standpoint(runtime_directory(places, profile));
  standpoint.refuse_other_network(profile);
  refuse_hand_over(standpoint, options, program, places, environment, reporter);
  if (wait_for_tunnel(profile, options, places, environment, reporter)) {
    standpoint.look_again();
  }
  if (standpoint.is_inside()) {
    reporter.debug("already inside this profile");
    return become_command(options.command, environment, reporter);
  }
  warn_of_the_inside(profile, standpoint, options, program, places, environment, reporter);
  look_for_outside_sockets(options, reporter);
  become_helper(profile, options, places, environment);
}

int run_vpnrun(int argc, char* const* argv, char* const* environment, const Places& places) {
  try {
    const auto parsed = parse_launch(argc, argv);
    if (const auto* information = std::get_if<Information>(&parsed)) {
      const std::string& text = information->text;
      const bool written =
          ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
      return written ? 0 : kExitOwnFailure;
    }
    const auto& options = std::get<LaunchOptions>(parsed);
    Reporter reporter("vpnrun", options.verbosity);
    try {
      return launch(options, places, environment, reporter);
    } catch (const Error& error) {
      reporter.error(error);
    }
  } catch (const Error& error) {
    Reporter("vpnrun", Verbosity::kNormal).error(error);
  } catch (const std::exception& error) {
    Reporter("vpnrun", Verbosity::kNormal).error(Error(printable(error.what())));
  }
  return kExitOwnFailure;
}

}  // namespace vpnrun
