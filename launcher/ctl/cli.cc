// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/cli.h"

#include <array>
#include <string_view>
#include <utility>

#include "launcher/profile_choice.h"
#include "profiles/base/error.h"
#include "profiles/command_line.h"
#include "profiles/profile_values.h"

namespace vpnrun {
namespace {

struct VerbInfo {
  Verb verb;
  const char* name;
  const char* help;
};

constexpr std::array<VerbInfo, 10> kVerbs = {{
    {Verb::kList, "list", "show all profiles"},
    {Verb::kStatus, "status", "show what a tunnel does"},
    {Verb::kUp, "up", "start a tunnel and wait for it"},
    {Verb::kDown, "down", "stop a tunnel; its applications stay, offline"},
    {Verb::kRestart, "restart", "connect a tunnel anew and wait for it"},
    {Verb::kProcesses, "ps", "show the processes in a profile's network namespace"},
    {Verb::kLog, "log", "show what a tunnel and its namespace said"},
    {Verb::kInbound, "inbound", "show or change which ports are open from a tunnel"},
    {Verb::kAttach, "attach", "put a systemd service behind a tunnel; alone: list those that are"},
    {Verb::kDetach, "detach", "take a systemd service out again"},
}};

/// What other programs call them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kOtherNames = {{
    {"start", "up"},
    {"connect", "up"},
    {"stop", "down"},
    {"disconnect", "down"},
    {"reload", "restart"},
    {"reconnect", "restart"},
    {"ls", "list"},
    {"profiles", "list"},
    {"state", "status"},
    {"info", "status"},
    {"show", "status"},
    {"processes", "ps"},
    {"top", "ps"},
    {"logs", "log"},
    {"journal", "log"},
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

void add_inbound(CLI::App& verb, CtlOptions& options, std::vector<std::string>& ports) {
  verb.add_option("ACTION", options.action, "list (default), add or remove; root only changes them")
      ->type_name("")
      ->check(CLI::IsMember({"list", "add", "remove"}));
  verb.add_option("PORT", ports, "tcp/NUMBER or udp/NUMBER")->type_name("…");
}

// Of one command line; what CLI11 calls "any number" has changed its name.
constexpr int kMostUnits = 1 << 20;

/// What `attach` is given: UNIT… NAME.
struct AttachWords {
  std::string first;
  std::vector<std::string> others;  ///< the last one is the profile
};

void take_attach_words(CtlOptions& options, const AttachWords& words) {
  if (!words.first.empty()) {
    options.units = {words.first};
  }
  if (!words.others.empty()) {
    options.profile = words.others.back();
    options.units.insert(options.units.end(), words.others.begin(), words.others.end() - 1);
  }
}

void add_attachment(CLI::App& verb, Verb which, CtlOptions& options, AttachWords& words) {
  verb.add_flag("--user", options.user, "a unit of your own service manager");
  verb.add_flag("--now", options.now, "restart it if it runs");
  if (which == Verb::kDetach) {
    verb.add_option("UNIT", options.units, "services")
        ->type_name("")
        ->expected(1, kMostUnits)
        ->required();
    return;
  }
  verb.add_option("UNIT", words.first, "service; more may follow")->type_name("");
  verb.add_option("NAME", words.others, "profile")->type_name("")->expected(1, kMostUnits);
  verb.add_flag("--force", options.force, "even if it cuts you off, or a socket outside starts it");
  verb.add_option("--path", options.run_paths,
                  "let the service find this path below /run (may be repeated)")
      ->type_name("PATH")
      ->expected(1)
      ->take_all();
}

/// What is looked at once more when all is parsed.
struct Texts {
  std::string patience;
  std::vector<std::string> ports;
  AttachWords attach;
};

void add_verb(CLI::App& app, const VerbInfo& info, CtlOptions& options, Texts& texts) {
  CLI::App* verb = app.add_subcommand(info.name, info.help);
  verb->callback([&options, which = info.verb] { options.verb = which; });
  if (info.verb == Verb::kAttach || info.verb == Verb::kDetach) {
    add_attachment(*verb, info.verb, options, texts.attach);
  } else if (info.verb != Verb::kList) {
    CLI::Option* name = verb->add_option("NAME", options.profile, "profile")->type_name("");
    name->required(is_order(info.verb) || info.verb == Verb::kInbound);
  }
  if (info.verb == Verb::kInbound) {
    add_inbound(*verb, options, texts.ports);
  }
  if (info.verb == Verb::kLog) {
    add_log(*verb, options);
  }
  if (is_order(info.verb)) {
    verb->add_option("--wait", texts.patience, "wait this long (default 30; 0: do not wait)")
        ->type_name("SECONDS")
        ->take_last();
  } else if (info.verb != Verb::kDetach) {
    verb->add_flag("--json", options.json, "print JSON");
  }
}

profile::Port port_of(const std::string& text) {
  try {
    return profile::parse_port(text);
  } catch (const Error& error) {
    throw Error("cannot understand the command line: " + std::string(error.what()),
                std::make_error_code(std::errc::invalid_argument),
                "for example tcp/51413 or udp/51413");
  }
}

Error wrong(const char* what, const char* hint) {
  return Error(std::string("cannot understand the command line: ") + what,
               std::make_error_code(std::errc::invalid_argument), hint);
}

void check_attach(const CtlOptions& options) {
  if (!options.units.empty() && options.profile.empty()) {
    throw wrong("attach UNIT to which profile?", "vpnrunctl attach UNIT NAME");
  }
  if (options.units.empty() && (options.now || options.force || !options.run_paths.empty())) {
    throw wrong("attach which unit?", "vpnrunctl attach UNIT NAME");
  }
  if (!options.units.empty() && options.json) {
    throw wrong("--json goes with 'attach' only if no unit is given", "vpnrunctl attach --json");
  }
  if (options.user && options.force) {
    throw wrong("--force is not for user units", "they listen where they did: vpnrun warns of it");
  }
  if (options.user && !options.run_paths.empty()) {
    throw wrong(
        "--path is not for user units",
        "in these, applications see the host's /run without the daemons that look up names");
  }
}

/// Checks the options together.
void check_together(const CtlOptions& options) {
  if (options.verb == Verb::kAttach) {
    check_attach(options);
  }
  if (options.verb == Verb::kInbound) {
    const bool changes = options.action == "add" || options.action == "remove";
    if (changes && options.ports.empty()) {
      throw wrong("which port?", "vpnrunctl inbound NAME add tcp/51413");
    }
    if (!changes && !options.ports.empty()) {
      throw wrong("'list' takes no port", "vpnrunctl inbound NAME");
    }
    if (changes && options.json) {
      throw wrong("--json goes with 'list' only", "vpnrunctl inbound NAME --json");
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
  Texts texts;
  bool quiet = false;
  CLI::App app("Show and manage vpnrun's profiles and tunnels.", "vpnrunctl");
  add_usual_flags(app, "vpnrunctl " VPNRUN_VERSION);
  app.add_flag("-q,--quiet", quiet, "errors only: no progress");
  app.fallthrough();
  app.require_subcommand(1);
  for (const VerbInfo& info : kVerbs) {
    add_verb(app, info, options, texts);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Information{help_text(app)};
  } catch (const CLI::CallForVersion& version) {
    return Information{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    throw Error("cannot understand the command line: " + reason(app, error, kOtherNames),
                std::make_error_code(std::errc::invalid_argument),
                "'vpnrunctl --help' lists the commands, 'vpnrunctl COMMAND --help' their options");
  }
  for (const auto& port : texts.ports) {
    options.ports.push_back(port_of(port));
  }
  take_attach_words(options, texts.attach);
  check_together(options);
  if (!options.profile.empty() || is_order(options.verb)) {
    require_profile_name(options.profile, "command line");
  }
  if (!texts.patience.empty()) {
    options.patience = parse_patience(texts.patience);
  }
  options.verbosity = quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  return options;
}

}  // namespace vpnrun
