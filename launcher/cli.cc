// SPDX-License-Identifier: GPL-2.0-or-later
//
// getopt_long(3) and not CLI11, which brings <iostream> along: each launch would wait for the
// set-up of streams that nobody uses.
#include "launcher/cli.h"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "profiles/base/error.h"
#include "profiles/option_text.h"

namespace vpnrun {
namespace {

constexpr const char* kSeeHelp = "'vpnrun --help' lists the options";
constexpr double kLongestPatience = 86400;  // seconds

struct Option {
  const char* name;   ///< of the long form, with its dashes
  char letter;        ///< of the short form; '\0': it has none
  const char* value;  ///< what its value is called; null: it takes none
  const char* text;
};

/// As the help text has them; Index follows their order.
constexpr std::array kOptions{
    Option{"--profile", 'p', "NAME", "profile to use"},
    Option{"--wait", '\0', "SECONDS", "wait this long for the tunnel (default 30; 0: do not wait)"},
    Option{"--no-start", '\0', nullptr, "fail at once unless the tunnel is up"},
    Option{"--strict", '\0', nullptr,
           "refuse to start with sockets that were made outside the tunnel"},
    Option{"--force", '\0', nullptr, "start even if a program outside would do the work"},
    Option{"--verbose", 'v', nullptr, "say what is done"},
    Option{"--quiet", 'q', nullptr, "errors only: no warnings, no progress"},
    Option{"--version", '\0', nullptr, "print the version and exit"},
    Option{"--help", 'h', nullptr, "print this text and exit"},
};
enum Index : std::size_t {
  kProfile,
  kWait,
  kNoStart,
  kStrict,
  kForce,
  kVerbose,
  kQuiet,
  kVersion,
  kHelp
};

/// The words in front of the command.
struct Given {
  std::array<bool, kOptions.size()> flags{};
  std::array<std::string, kOptions.size()> values;
  int command = 0;  ///< index of its first word
};

[[noreturn]] void refuse(const std::string& what, const char* hint = kSeeHelp) {
  throw Error(what, std::make_error_code(std::errc::invalid_argument), hint);
}

[[noreturn]] void refuse_option(std::string_view word, const char* why) {
  refuse("cannot use option '" + printable(word) + "': " + why);
}

[[noreturn]] void refuse_unknown(std::string_view word) {
  std::array<std::string_view, kOptions.size()> names;
  std::transform(kOptions.begin(), kOptions.end(), names.begin(),
                 [](const Option& option) { return option.name; });
  refuse("cannot use option '" + printable(word) + "': there is no such option" +
             suggest_option(word, names),
         "'vpnrun --help' lists the options; '--' goes before a command that starts with '-'");
}

/// How getopt_long(3) is told the options, and tells which one it has found.
class Getopt {
 public:
  Getopt() {
    for (std::size_t i = 0; i < kOptions.size(); ++i) {
      const Option& option = kOptions[i];
      const bool takes_value = option.value != nullptr;
      long_[i] = {option.name + 2, takes_value ? required_argument : no_argument, nullptr,
                  kFirst + static_cast<int>(i)};
      if (option.letter != '\0') {
        letters_.append(1, option.letter).append(takes_value ? ":" : "");
      }
    }
    ::optind = 0;  // it keeps its place from the last time
  }

  [[nodiscard]] int next(int argc, char* const* argv) const {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a launch is one thread
    return ::getopt_long(argc, argv, letters_.c_str(), long_.data(), nullptr);
  }

  /// The option that a result or ::optopt is about; nullopt: none that there is.
  [[nodiscard]] static std::optional<std::size_t> index(int found) {
    for (std::size_t i = 0; i < kOptions.size(); ++i) {
      if (found == kFirst + static_cast<int>(i) || (found != 0 && found == kOptions[i].letter)) {
        return i;
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr int kFirst = 256;  // the options by index, apart from every letter
  std::array<option, kOptions.size() + 1> long_{};
  std::string letters_ = "+:";  // stop at the command; tell a missing value from an unknown option
};

Given read(int argc, char* const* argv) {
  const Getopt getopt;
  Given given;
  for (int at = 1;; at = ::optind) {
    const int found = getopt.next(argc, argv);
    if (found == -1) {
      break;
    }
    const std::string_view word = argv[at];  // a letter's: all of its word
    const bool is_long = word.starts_with("--");
    const auto index = Getopt::index(found == '?' || found == ':' ? ::optopt : found);
    // It takes the beginning of a name for the name: that may be another option's one day.
    if (!index || (is_long && word.substr(0, word.find('=')) != kOptions[*index].name)) {
      refuse_unknown(is_long ? word : std::string{'-', static_cast<char>(::optopt)});
    }
    if (found == '?') {
      refuse_option(word, "it takes no value");
    }
    if (found == ':') {
      refuse_option(word, "its value is missing");
    }
    given.flags[*index] = true;
    if (kOptions[*index].value != nullptr) {
      if (*::optarg == '\0') {  // a variable that is not set: not to be taken for "not given"
        refuse_option(word, "its value is empty");
      }
      given.values[*index] = ::optarg;
    }
  }
  given.command = ::optind;
  return given;
}

std::string launch_help() {
  std::string text = "Usage: vpnrun [OPTION…] [--] COMMAND [ARGUMENT…]\n\nOptions:\n";
  for (const Option& option : kOptions) {
    std::string left;
    if (option.letter != '\0') {
      left.append({'-', option.letter, ',', ' '});
    }
    left += option.name;
    if (option.value != nullptr) {
      left.append(1, ' ').append(option.value);
    }
    text += option_row(left, option.text);
  }
  return text +
         "\nThe first word that is not an option starts the command; all that follows belongs to "
         "it.\n"
         "Exit status: the command's; 125 vpnrun failed, 126 command not executable, 127 not "
         "found.\n";
}

LaunchOptions options_of(Given given, int argc, char* const* argv) {
  if (given.flags[kQuiet] && given.flags[kVerbose]) {
    refuse("cannot be quiet and verbose at once");
  }
  if (given.command >= argc) {
    refuse("cannot start anything: no command given",
           "vpnrun [--profile NAME] COMMAND [ARGUMENT…]; 'vpnrun --help' says more");
  }
  LaunchOptions options;
  options.profile = std::move(given.values[kProfile]);
  if (given.flags[kWait]) {
    options.patience = parse_patience(given.values[kWait]);
  }
  options.start_tunnel = !given.flags[kNoStart];
  options.strict = given.flags[kStrict];
  options.force = given.flags[kForce];
  if (given.flags[kQuiet] || given.flags[kVerbose]) {
    options.verbosity = given.flags[kQuiet] ? Verbosity::kQuiet : Verbosity::kVerbose;
  }
  options.command = argv + given.command;
  return options;
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
  Given given = read(argc, argv);
  if (given.flags[kHelp]) {
    return Information{launch_help()};
  }
  if (given.flags[kVersion]) {
    return Information{"vpnrun " VPNRUN_VERSION "\n"};
  }
  return options_of(std::move(given), argc, argv);
}

}  // namespace vpnrun
