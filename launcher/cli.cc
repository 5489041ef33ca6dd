// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/cli.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/command_line.h"

namespace vpnrun {
namespace {

constexpr const char* kSeeHelp = "'vpnrun --help' lists the options";
constexpr double kLongestPatience = 86400;  // seconds

/// The options as CLI11 stores them.
struct Values {
  LaunchOptions options;
  std::string patience;
  bool no_start = false;
  bool verbose = false;
  bool quiet = false;
  bool version = false;
  bool help = false;
};

std::unique_ptr<CLI::App> make_app(Values& values) {
  auto app = std::make_unique<CLI::App>("Run one application behind a VPN.", "vpnrun");
  app->set_help_flag();  // --help is a flag like any other: CLI11's own throws in mid-parse
  app->add_option("-p,--profile", values.options.profile, "profile to use")
      ->type_name("NAME")
      ->take_last();
  app->add_option("--wait", values.patience,
                  "wait this long for the tunnel (default 30; 0: do not wait)")
      ->type_name("SECONDS")
      ->take_last();
  app->add_flag("--no-start", values.no_start, "fail at once unless the tunnel is up");
  app->add_flag("--strict", values.options.strict,
                "refuse to start with sockets that were made outside the tunnel");
  app->add_flag("--force", values.options.force,
                "start even if a program outside would do the work");
  app->add_flag("-v,--verbose", values.verbose, "say what is done");
  app->add_flag("-q,--quiet", values.quiet, "errors only: no warnings, no progress");
  app->add_flag("--version", values.version, "print the version and exit");
  app->add_flag("-h,--help", values.help, "print this text and exit");
  return app;
}

[[noreturn]] void refuse(const std::string& what, const char* hint = kSeeHelp) {
  throw Error(what, std::make_error_code(std::errc::invalid_argument), hint);
}

bool takes_value(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  if (option == nullptr) {
    refuse("cannot use option '" + printable(name) + "': there is no such option" +
               suggest_option(app, name),
           "'vpnrun --help' lists the options; '--' goes before a command that starts with '-'");
  }
  return option->get_items_expected_max() > 0;
}

/// Whether the option word `word` takes the next word as its value.
bool takes_next_word(const CLI::App& app, std::string_view word) {
  if (word.substr(0, 2) == "--") {
    const std::size_t equals = word.find('=');
    const bool with_value = takes_value(app, std::string(word.substr(0, equals)));
    if (equals == std::string_view::npos) {
      return with_value;
    }
    // CLI11 would take the next word for an empty value, and that is the command.
    if (!with_value || equals + 1 == word.size()) {
      refuse("cannot use option '" + printable(word) +
             (with_value ? "': its value is empty" : "': it takes no value"));
    }
    return false;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (takes_value(app, {'-', word[i]})) {
      return i + 1 == word.size();
    }
  }
  return false;
}

/// Index of the first word of the command; `argc` if there is none. The words before it are added
/// to `own`. CLI11 sees those only: it would look into the command's words otherwise.
int split(const CLI::App& app, int argc, char* const* argv, std::vector<std::string>& own) {
  int index = 1;
  while (index < argc) {
    const std::string_view word = argv[index];
    if (word == "--") {
      return index + 1;
    }
    if (word.size() < 2 || word.front() != '-') {
      return index;
    }
    own.emplace_back(word);
    ++index;
    if (takes_next_word(app, word)) {
      if (index == argc) {
        refuse("cannot use option '" + printable(word) + "': its value is missing");
      }
      if (*argv[index] == '\0') {  // a variable that is not set: not to be taken for "not given"
        refuse("cannot use option '" + printable(word) + "': its value is empty");
      }
      own.emplace_back(argv[index]);
      ++index;
    }
  }
  return index;
}

std::string launch_help(const CLI::App& app) {
  return "Usage: vpnrun [OPTION…] [--] COMMAND [ARGUMENT…]\n\n" + options_text(app) +
         "\nThe first word that is not an option starts the command; all that follows belongs to "
         "it.\n"
         "Exit status: the command's; 125 vpnrun failed, 126 command not executable, 127 not "
         "found.\n";
}

LaunchOptions finish(Values& values, int command, int argc, char* const* argv) {
  if (values.quiet && values.verbose) {
    refuse("cannot be quiet and verbose at once");
  }
  if (command >= argc) {
    refuse("cannot start anything: no command given",
           "vpnrun [--profile NAME] COMMAND [ARGUMENT…]; 'vpnrun --help' says more");
  }
  if (values.quiet) {
    values.options.verbosity = Verbosity::kQuiet;
  } else if (values.verbose) {
    values.options.verbosity = Verbosity::kVerbose;
  }
  if (!values.patience.empty()) {
    values.options.patience = parse_patience(values.patience);
  }
  values.options.start_tunnel = !values.no_start;
  values.options.command = argv + command;
  return std::move(values.options);
}

}  // namespace

std::chrono::milliseconds parse_patience(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || stop != end || !(seconds >= 0 && seconds <= kLongestPatience)) {
    refuse("cannot wait '" + printable(text) + "' seconds",
           "--wait takes seconds from 0 to 86400, such as 30 or 0.5");
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

std::variant<LaunchOptions, Information> parse_launch(int argc, char* const* argv) {
  Values values;
  // Most launches have no option at all, and need not build an option parser then.
  if (argc >= 2 && argv[1][0] != '-') {
    return finish(values, 1, argc, argv);
  }
  const std::unique_ptr<CLI::App> app = make_app(values);
  std::vector<std::string> own;
  const int command = split(*app, argc, argv, own);
  try {
    app->parse(
        std::vector<std::string>(own.rbegin(), own.rend()));  // CLI11 takes words from the back
  } catch (const CLI::ParseError& error) {
    refuse("cannot understand the options: " + reason(*app, error));
  }
  if (values.help) {
    return Information{launch_help(*app)};
  }
  if (values.version) {
    return Information{"vpnrun " VPNRUN_VERSION "\n"};
  }
  return finish(values, command, argc, argv);
}

}  // namespace vpnrun
