// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/cli.h"

#include <array>

#include "launcher/profile_choice.h"
#include "profiles/base/error.h"
#include "profiles/command_line.h"

namespace vpnrun {
namespace {

struct VerbInfo {
  Verb verb;
  const char* name;
  const char* help;
};

constexpr std::array<VerbInfo, 9> kVerbs = {{
    {Verb::kList, "list", "show all profiles"},
    {Verb::kStatus, "status", "show what a tunnel does"},
    {Verb::kUp, "up", "start a tunnel and wait for it"},
    {Verb::kDown, "down", "stop a tunnel; its applications stay, offline"},
    {Verb::kRestart, "restart", "connect a tunnel anew and wait for it"},
    {Verb::kProcesses, "ps", "show the processes in a profile's network namespace"},
    {Verb::kLog, "log", "show what a tunnel and its namespace said"},
    {Verb::kAttach, "attach", "put a systemd service behind a tunnel; alone: list those that are"},
    {Verb::kDetach, "detach", "take a systemd service out again"},
}};

bool is_order(Verb verb) {
  return verb == Verb::kUp || verb == Verb::kDown || verb == Verb::kRestart;
}

void add_log(CLI::App& verb, CtlOptions& options) {
  verb.add_flag("-f,--follow", options.follow, "show new lines as they come");
  verb.add_option("-n,--lines", options.lines, "how many (default 50), or all")
      ->type_name("N")
      ->take_last();
}

void add_attachment(CLI::App& verb, Verb which, CtlOptions& options) {
  CLI::Option* unit = verb.add_option("UNIT", options.unit, "service")->type_name("");
  verb.add_flag("--user", options.user, "a unit of your own service manager");
  verb.add_flag("--now", options.now, "restart it if it runs");
  if (which == Verb::kDetach) {
    unit->required();
    return;
  }
  verb.add_option("NAME", options.profile, "profile")->type_name("");
  verb.add_option("--path", options.run_paths,
                  "let the service find this path below /run (may be repeated)")
      ->type_name("PATH")
      ->expected(1)
      ->take_all();
}

void add_verb(CLI::App& app, const VerbInfo& info, CtlOptions& options, std::string& patience) {
  CLI::App* verb = app.add_subcommand(info.name, info.help);
  verb->callback([&options, which = info.verb] { options.verb = which; });
  if (info.verb == Verb::kAttach || info.verb == Verb::kDetach) {
    add_attachment(*verb, info.verb, options);
  } else if (info.verb != Verb::kList) {
    CLI::Option* name = verb->add_option("NAME", options.profile, "profile")->type_name("");
    name->required(is_order(info.verb) || info.verb == Verb::kLog);
  }
  if (info.verb == Verb::kLog) {
    add_log(*verb, options);
  }
  if (is_order(info.verb)) {
    verb->add_option("--wait", patience, "wait this long (default 30; 0: do not wait)")
        ->type_name("SECONDS")
        ->take_last();
  } else if (info.verb != Verb::kDetach) {
    verb->add_flag("--json", options.json, "print JSON");
  }
}

/// Checks the options together.
void check_together(const CtlOptions& options) {
  const auto wrong = [](const char* what, const char* hint) {
    return Error(std::string("cannot understand the command line: ") + what,
                 std::make_error_code(std::errc::invalid_argument), hint);
  };
  if (options.verb == Verb::kAttach) {
    if (!options.unit.empty() && options.profile.empty()) {
      throw wrong("attach UNIT to which profile?", "vpnrunctl attach UNIT NAME");
    }
    if (options.unit.empty() && (options.now || !options.run_paths.empty())) {
      throw wrong("attach which unit?", "vpnrunctl attach UNIT NAME");
    }
    if (!options.unit.empty() && options.json) {
      throw wrong("--json goes with 'attach' only if no unit is given", "vpnrunctl attach --json");
    }
    if (options.user && !options.run_paths.empty()) {
      throw wrong(
          "--path is not for user units",
          "in these, applications see the host's /run without the daemons that look up names");
    }
  }
  if (!options.lines.empty() && options.lines != "all" &&
      options.lines.find_first_not_of("0123456789") != std::string::npos) {
    throw wrong("--lines takes a number, or all", "vpnrunctl log NAME --lines 100");
  }
}

}  // namespace

std::variant<CtlOptions, Information> parse_ctl(int argc, const char* const* argv) {
  CtlOptions options;
  std::string patience;
  bool quiet = false;
  CLI::App app("Show and manage vpnrun's profiles and tunnels.", "vpnrunctl");
  add_usual_flags(app, "vpnrunctl " VPNRUN_VERSION);
  app.add_flag("-q,--quiet", quiet, "errors only: no progress");
  app.fallthrough();
  app.require_subcommand(1);
  for (const VerbInfo& info : kVerbs) {
    add_verb(app, info, options, patience);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Information{help_text(app)};
  } catch (const CLI::CallForVersion& version) {
    return Information{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    throw Error("cannot understand the command line: " + reason(app, error),
                std::make_error_code(std::errc::invalid_argument),
                "'vpnrunctl --help' lists the commands, 'vpnrunctl COMMAND --help' their options");
  }
  check_together(options);
  if (!options.profile.empty() || is_order(options.verb) || options.verb == Verb::kLog) {
    require_profile_name(options.profile, "command line");
  }
  if (!patience.empty()) {
    options.patience = parse_patience(patience);
  }
  options.verbosity = quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  return options;
}

}  // namespace vpnrun
