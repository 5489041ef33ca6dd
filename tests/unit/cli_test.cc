// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/cli.h"

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using std::chrono::milliseconds;
using test::command_line;
using test::Words;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Parsed options; the words live as long as this object.
class Parsed {
 public:
  explicit Parsed(const std::vector<std::string>& words) : words_(command_line("vpnrun", words)) {
    options = std::get<LaunchOptions>(parse_launch(words_.count(), words_.data()));
  }
  [[nodiscard]] std::vector<std::string> command() const {
    std::vector<std::string> command;
    for (char* const* word = options.command; *word != nullptr; ++word) {
      command.emplace_back(*word);
    }
    return command;
  }
  LaunchOptions options;

 private:
  Words words_;
};

std::string refusal(const std::vector<std::string>& words) {
  try {
    const Parsed parsed(words);
  } catch (const Error& error) {
    return std::string(error.what()) + " / " + error.hint();
  }
  return "accepted";
}

TEST(Cli, FirstWordThatIsNoOptionStartsTheCommandAndOwnsTheRest) {
  const Parsed parsed({"-p", "work", "curl", "-s", "--profile", "other", "--", "-v", ""});
  EXPECT_EQ(parsed.options.profile, "work");
  EXPECT_THAT(parsed.command(), ElementsAre("curl", "-s", "--profile", "other", "--", "-v", ""));
}

TEST(Cli, CommandWithoutOptionsKeepsItsOwn) {
  const Parsed parsed({"curl", "--help", "--version", "-q"});
  EXPECT_THAT(parsed.command(), ElementsAre("curl", "--help", "--version", "-q"));
  EXPECT_EQ(parsed.options.verbosity, Verbosity::kNormal);
  EXPECT_TRUE(parsed.options.start_tunnel);
  EXPECT_EQ(parsed.options.patience, kDefaultPatience);
}

TEST(Cli, DoubleDashAllowsACommandThatLooksLikeAnOption) {
  const Parsed parsed({"-q", "--", "--odd", "-p", "x"});
  EXPECT_THAT(parsed.command(), ElementsAre("--odd", "-p", "x"));
  EXPECT_EQ(parsed.options.profile, "");
}

TEST(Cli, WordsOfTheCommandAreTheCallersBytes) {
  const std::string bytes = "\xff\x01[a,b] %{x} \"q\" \\";
  EXPECT_THAT(Parsed({"--force", "printf", bytes}).command(), ElementsAre("printf", bytes));
}

TEST(Cli, EveryWayToWriteAnOptionIsUnderstood) {
  EXPECT_EQ(Parsed({"--profile=work", "x"}).options.profile, "work");
  EXPECT_EQ(Parsed({"--profile", "work", "x"}).options.profile, "work");
  EXPECT_EQ(Parsed({"-pwork", "x"}).options.profile, "work");
  const Parsed cluster({"-vp", "work", "--no-start", "--force", "--wait=2.5", "x"});
  EXPECT_EQ(cluster.options.profile, "work");
  EXPECT_EQ(cluster.options.verbosity, Verbosity::kVerbose);
  EXPECT_FALSE(cluster.options.start_tunnel);
  EXPECT_TRUE(cluster.options.force);
  EXPECT_EQ(cluster.options.patience, milliseconds(2500));
  EXPECT_EQ(Parsed({"-q", "x"}).options.verbosity, Verbosity::kQuiet);
}

TEST(Cli, LastOfARepeatedOptionWinsSoThatAnAliasCanBeOverridden) {
  EXPECT_EQ(Parsed({"-p", "a", "-p", "b", "x"}).options.profile, "b");
}

TEST(Cli, ValueMayLookLikeAnOptionOrLikeTheEndOfOptions) {
  EXPECT_EQ(Parsed({"-p", "--", "x"}).options.profile, "--");
}

TEST(Cli, RefusesWhatItDoesNotKnowAndSaysWhereHelpIs) {
  EXPECT_THAT(refusal({"--frobnicate", "x"}),
              HasSubstr("option '--frobnicate': there is no such option"));
  EXPECT_THAT(refusal({"-z", "x"}), HasSubstr("option '-z': there is no such option"));
  EXPECT_THAT(refusal({"--profiel", "x", "y"}), HasSubstr("; did you mean '--profile'?"));
  EXPECT_THAT(refusal({"--no-strat", "y"}), HasSubstr("; did you mean '--no-start'?"));
  EXPECT_THAT(refusal({"--wiat=3", "y"}), HasSubstr("; did you mean '--wait'?"));
  EXPECT_THAT(refusal({"--frobnicate", "x"}), ::testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(refusal({"--no-start=1", "x"}), HasSubstr("takes no value"));
  EXPECT_THAT(refusal({"-v", "-q", "x"}), HasSubstr("quiet and verbose"));
}

TEST(Cli, EmptyValueDoesNotSwallowTheCommand) {
  EXPECT_THAT(refusal({"--profile=", "firefox"}), HasSubstr("'--profile=': its value is empty"));
  EXPECT_THAT(refusal({"--profile"}), HasSubstr("'--profile': its value is missing"));
  for (const char* option : {"-p", "--profile", "-vp", "--wait"}) {
    EXPECT_THAT(refusal({option, "", "firefox"}),
                HasSubstr("'" + std::string(option) + "': its value is empty"));
  }
}

TEST(Cli, RefusesToStartNothing) {
  EXPECT_THAT(refusal({}), HasSubstr("no command given"));
  EXPECT_THAT(refusal({"-p", "work"}), HasSubstr("no command given"));
  EXPECT_THAT(refusal({"-p", "work", "--"}), HasSubstr("no command given"));
}

TEST(Cli, PatienceIsSecondsWithFractions) {
  EXPECT_EQ(parse_patience("0"), milliseconds(0));
  EXPECT_EQ(parse_patience("0.25"), milliseconds(250));
  EXPECT_EQ(parse_patience("86400"), milliseconds(86'400'000));
}

TEST(Cli, RefusesAPatienceThatIsNone) {
  for (const char* wrong : {"-1", "86401", "nan", "inf", "1s", " 1", "0x10"}) {
    EXPECT_THAT(refusal({"--wait", wrong, "x"}),
                HasSubstr("cannot wait '" + std::string(wrong) + "' seconds"));
  }
}

TEST(Cli, HelpAndVersionNeedNoCommand) {
  const Words help(command_line("vpnrun", {"--help"}));
  const auto text = std::get<Information>(parse_launch(help.count(), help.data())).text;
  for (const char* option :
       {"--profile", "--wait", "--no-start", "--force", "--verbose", "--quiet"}) {
    EXPECT_THAT(text, HasSubstr(option));
  }
  const Words version(command_line("vpnrun", {"--version"}));
  EXPECT_EQ(std::get<Information>(parse_launch(version.count(), version.data())).text,
            "vpnrun " VPNRUN_VERSION "\n");
}

}  // namespace
TEST(Cli, HelpIsTheSameWithEveryOptionParser) {
  const Words help(command_line("vpnrun", {"-h"}));
  EXPECT_EQ(
      std::get<Information>(parse_launch(help.count(), help.data())).text,
      "Usage: vpnrun [OPTION…] [--] COMMAND [ARGUMENT…]\n"
      "\n"
      "Options:\n"
      "  -p, --profile NAME          profile to use\n"
      "  --wait SECONDS              wait this long for the tunnel (default 30; 0: do not wait)\n"
      "  --no-start                  fail at once unless the tunnel is up\n"
      "  --strict                    refuse to start with sockets that were made outside the "
      "tunnel\n"
      "  --force                     start even if a program outside would do the work\n"
      "  -v, --verbose               say what is done\n"
      "  -q, --quiet                 errors only: no warnings, no progress\n"
      "  --version                   print the version and exit\n"
      "  -h, --help                  print this text and exit\n"
      "\n"
      "The first word that is not an option starts the command; all that follows belongs to it.\n"
      "Exit status: the command's; 125 vpnrun failed, 126 command not executable, 127 not "
      "found.\n");
}

}  // namespace vpnrun
