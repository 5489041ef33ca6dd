// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/cli.h"

#include <array>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "launcher/profile_choice.h"
#include "profiles/error.h"

namespace vpnrun {
namespace {

struct VerbInfo {
  Verb verb;
  const char* name;
  const char* help;
};

constexpr std::array<VerbInfo, 6> kVerbs = {{
    {Verb::kList, "list", "show all profiles"},
    {Verb::kStatus, "status", "show what a tunnel does"},
    {Verb::kUp, "up", "start a tunnel and wait for it"},
    {Verb::kDown, "down", "stop a tunnel; its applications stay, offline"},
    {Verb::kRestart, "restart", "connect a tunnel anew and wait for it"},
    {Verb::kProcesses, "ps", "show the processes in a profile's network namespace"},
}};

bool is_order(Verb verb) {
  return verb == Verb::kUp || verb == Verb::kDown || verb == Verb::kRestart;
}

void add_verb(CLI::App& app, const VerbInfo& info, CtlOptions& options, std::string& patience) {
  CLI::App* verb = app.add_subcommand(info.name, info.help);
  verb->callback([&options, which = info.verb] { options.verb = which; });
  if (info.verb != Verb::kList) {
    CLI::Option* name = verb->add_option("NAME", options.profile, "profile")->type_name("");
    name->required(is_order(info.verb));
  }
  if (is_order(info.verb)) {
    verb->add_option("--wait", patience, "wait this long (default 30; 0: do not wait)")
        ->type_name("SECONDS");
  } else {
    verb->add_flag("--json", options.json, "print JSON");
  }
}

}  // namespace

std::variant<CtlOptions, Information> parse_ctl(int argc, const char* const* argv) {
  CtlOptions options;
  std::string patience;
  bool quiet = false;
  CLI::App app("Show and manage vpnrun's profiles and tunnels.", "vpnrunctl");
  app.set_version_flag("--version", "vpnrunctl " VPNRUN_VERSION);
  app.add_flag("-q,--quiet", quiet, "errors only: no progress");
  app.fallthrough();
  app.require_subcommand(1);
  for (const VerbInfo& info : kVerbs) {
    add_verb(app, info, options, patience);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Information{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return Information{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    throw Error("cannot understand the command line: " + printable(error.what()),
                std::make_error_code(std::errc::invalid_argument),
                "'vpnrunctl --help' lists the commands, 'vpnrunctl COMMAND --help' their options");
  }
  if (!options.profile.empty() || is_order(options.verb)) {
    require_profile_name(options.profile, "command line");
  }
  if (!patience.empty()) {
    options.patience = parse_patience(patience);
  }
  options.verbosity = quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  return options;
}

}  // namespace vpnrun
