// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/unit_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/ctl/drop_in_text.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> lines_of(const std::vector<UnitCommand>& commands) {
  std::vector<std::string> lines;
  lines.reserve(commands.size());
  for (const UnitCommand& command : commands) {
    lines.push_back(command.prefixes + "|" + command.line);
  }
  return lines;
}

TEST(UnitText, JoinsContinuedLinesAsSystemdDoes) {
  // As systemd 252 was seen to: a blank for the backslash, the next line's blanks kept, comments in
  // between left out.
  const auto settings = parse_unit_text(
      "[Service]\n"
      "  # comment \\\n"
      "ExecStart = /bin/echo \"a \\\n"
      "; comment\n"
      "    b\"  \n"
      "Path=C:\\\\\n"
      "User=x\n");
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[0].section, "Service");
  EXPECT_EQ(settings[0].name, "ExecStart");
  EXPECT_EQ(settings[0].value, "/bin/echo \"a      b\"");
  EXPECT_EQ(settings[1].value, "C:\\\\");
  EXPECT_EQ(settings[2].value, "x");
}

TEST(UnitText, AnEmptyValueForgetsThoseBeforeItAndOtherSectionsDoNotCount) {
  const auto settings = parse_unit_text(
      "[Service]\nExecStart=a\nExecStart=b\n[Install]\nExecStart=c\n[Service]\nExecStart=\n"
      "ExecStart=d\nno setting\nExecStart=e");
  EXPECT_THAT(service_values(settings, "ExecStart"), ElementsAre("d", "e"));
  EXPECT_THAT(service_values(settings, "User"), IsEmpty());
}

TEST(UnitText, SplitsAtSemicolonsThatAreWordsOfTheirOwn) {
  EXPECT_THAT(
      lines_of(split_commands("-/bin/a x ; :+/bin/b 'c ; d' \\; e;f \"g\\\" ; h\" ; /bin/i")),
      ElementsAre("-|/bin/a x", ":+|/bin/b 'c ; d' \\; e;f \"g\\\" ; h\"", "|/bin/i"));
  EXPECT_THAT(split_commands(" ; ; "), IsEmpty());
  EXPECT_THAT(split_commands("-"), IsEmpty());
}

TEST(UnitText, PutsVpnrunBetweenPrefixesAndCommand) {
  EXPECT_EQ(command_in_profile({"-:", "/bin/a$b  '%h' \"c\""}, "/usr/bin/vpnrun", "one"),
            "-:/usr/bin/vpnrun --profile one -- /bin/a$b  '%h' \"c\"");
  // Variables are replaced in arguments, and the command becomes one.
  EXPECT_EQ(command_in_profile({"", "/bin/$a$b $c"}, "/usr/bin/vpnrun", "one"),
            "/usr/bin/vpnrun --profile one -- /bin/$$a$$b $c");
}

TEST(UnitText, RefusesCommandsWithANameOfTheirOwn) {
  EXPECT_THROW((void)command_in_profile({"-@", "/bin/a a"}, "v", "one"), Error);
  EXPECT_THROW((void)command_in_profile({"", "\"@/bin/a\" a"}, "v", "one"), Error);
}

TEST(UnitText, RefusesCommandsThatAShellStarts) {
  // Of systemd 258 and later: "|" as a prefix. What follows is a shell's, and no program.
  const auto commands = split_commands("-|/bin/a | b");
  ASSERT_THAT(lines_of(commands), ElementsAre("-||/bin/a | b"));
  EXPECT_THROW((void)command_in_profile(commands.front(), "v", "one"), Error);
  EXPECT_THROW((void)command_in_profile({"", "'|/bin/a' b"}, "v", "one"), Error);
  EXPECT_THAT(lines_of(split_commands("+|/bin/a")), ElementsAre("+||/bin/a"));
}

TEST(UnitText, WordsLoseQuotesAndEscapes) {
  EXPECT_THAT(words_of({"a 'b c'", "\"d\\\"e\"\tf"}), ElementsAre("a", "b c", "d\"e", "f"));
}

TEST(UnitText, EscapesWhatIsSpecialInAUnitFile) {
  EXPECT_EQ(unit_word("plain-1.conf"), "plain-1.conf");
  EXPECT_EQ(unit_word("100%"), "100%%");
  EXPECT_EQ(unit_word("a \"b\""), "\"a \\\"b\\\"\"");
  EXPECT_EQ(unit_path("/a:b"), "\"/a\\\\:b\"");
}

TEST(DropInText, OfASystemUnitHasNamespaceResolverAndSeal) {
  const std::string text =
      system_drop_in_text({.id = "d.service",
                           .profile = "one",
                           .overlays = {{"/s/resolv.conf", "/etc/resolv.conf"}},
                           .run_paths = {"/run/d"},
                           .has_own_families = true,
                           .companion = "/x/vpnrun-tunnel"});
  EXPECT_EQ(
      text.substr(0, text.find('\n')),
      "# Profile one: written by 'vpnrunctl attach', removed by 'vpnrunctl detach d.service'");
  const auto settings = parse_unit_text(text);
  const auto values = [&](const char* name) { return service_values(settings, name); };
  EXPECT_THAT(values("NetworkNamespacePath"), ElementsAre("/run/netns/one"));
  // Not "+": with the environment of the service's user root would load what that user says.
  EXPECT_THAT(values("ExecCondition"), ElementsAre("/x/vpnrun-tunnel inside one"));
  EXPECT_EQ(text.find("ExecPaths"), std::string::npos);
  EXPECT_NE(system_drop_in_text({.id = "d.service",
                                 .profile = "one",
                                 .companion = "/x/vpnrun-tunnel",
                                 .limits_programs = true})
                .find("\nExecPaths=/x/vpnrun-tunnel\n"),
            std::string::npos);
  EXPECT_THAT(values("BindReadOnlyPaths"),
              ElementsAre("/run/netns/one", "/s/resolv.conf:/etc/resolv.conf"));
  EXPECT_THAT(values("TemporaryFileSystem"), ElementsAre("/run:mode=0755,size=16M,nosuid,nodev"));
  EXPECT_THAT(values("BindPaths"),
              ElementsAre("-/run/systemd/notify -/run/systemd/journal", "/run/d"));
  EXPECT_THAT(values("SystemCallArchitectures"), ElementsAre("native"));
  EXPECT_THAT(values("SystemCallFilter").front(), HasSubstr("io_uring_setup:ENOSYS"));
  for (const char* name : {"SystemCallFilter", "RestrictAddressFamilies"}) {
    EXPECT_THAT(values(name), Not(IsEmpty()));
    for (const std::string& value : values(name)) {
      EXPECT_EQ(value.front(), '~') << "must not add to what the unit allows";
    }
  }
}

TEST(DropInText, BindsToTheNamespaceAndNotToTheTunnel) {
  const auto settings = parse_unit_text(system_drop_in_text({.id = "d.service", .profile = "one"}));
  int conditions = 0;
  for (const UnitSetting& setting : settings) {
    if (setting.name == "BindsTo") {
      ++conditions;
      EXPECT_EQ(setting.value, "vpnrun-netns@one.service");
    } else if (setting.name == "Wants") {
      EXPECT_EQ(setting.value, "vpnrun@one.service");
    } else if (setting.section == "Unit") {
      EXPECT_EQ(setting.name, "After");
      EXPECT_EQ(setting.value, "vpnrun-netns@one.service vpnrun@one.service");
    }
  }
  EXPECT_EQ(conditions, 1);
}

TEST(DropInText, OfSpecialUnitsHasWhatTheyNeedBesides) {
  const auto settings = parse_unit_text(system_drop_in_text({.id = "d.service",
                                                             .profile = "one",
                                                             .dynamic_user = true,
                                                             .has_var_run = true,
                                                             .call_errors = CallErrors::kUnits}));
  EXPECT_THAT(
      service_values(settings, "SystemCallFilter"),
      ElementsAre("~io_uring_setup io_uring_enter io_uring_register", "~pidfd_getfd request_key"));
  EXPECT_THAT(service_values(settings, "TemporaryFileSystem").back(), HasSubstr("/var/run:"));
  EXPECT_THAT(service_values(settings, "BindPaths").back(), HasSubstr("DynamicUser"));
}

TEST(DropInText, GivesNoCallTheErrorThatTheFilterGivesAllTheOthers) {
  // ENOSYS is what systemd 255 and later give where a list of what is allowed has a gap.
  const auto settings = parse_unit_text(system_drop_in_text(
      {.id = "d.service", .profile = "one", .call_errors = CallErrors::kAllowed}));
  EXPECT_THAT(service_values(settings, "SystemCallFilter"),
              ElementsAre("~io_uring_setup:EPERM io_uring_enter:EPERM io_uring_register:EPERM",
                          "~pidfd_getfd:EPERM request_key:ENOKEY"));
}

// Without a tunnel a service may end at each start.
TEST(DropInText, LetsNoEndOfAServiceBeFinalThatItDoesNotWantItself) {
  const auto settings = [](RestartPolicy policy) {
    return parse_unit_text(
        system_drop_in_text({.id = "d.service", .profile = "one", .restart = policy}));
  };
  const auto limit = [](const std::vector<UnitSetting>& all) {
    return std::count_if(all.begin(), all.end(), [](const UnitSetting& one) {
      return one.section == "Unit" && one.name == "StartLimitIntervalSec" && one.value == "0";
    });
  };
  EXPECT_EQ(limit(settings(RestartPolicy::kUnits)), 0);
  for (const RestartPolicy policy :
       {RestartPolicy::kAdded, RestartPolicy::kSlow, RestartPolicy::kQuick}) {
    EXPECT_EQ(limit(settings(policy)), 1);
  }
  EXPECT_THAT(service_values(settings(RestartPolicy::kAdded), "Restart"),
              ElementsAre("on-failure"));
  EXPECT_THAT(service_values(settings(RestartPolicy::kAdded), "RestartSec"), ElementsAre("5s"));
  EXPECT_THAT(service_values(settings(RestartPolicy::kQuick), "RestartSec"), ElementsAre("2s"));
  for (const RestartPolicy policy :
       {RestartPolicy::kUnits, RestartPolicy::kSlow, RestartPolicy::kQuick}) {
    EXPECT_THAT(service_values(settings(policy), "Restart"), IsEmpty());
  }
  EXPECT_THAT(service_values(settings(RestartPolicy::kSlow), "RestartSec"), IsEmpty());
}

TEST(DropInText, OfAUserUnitNeverHasThePath) {
  const std::string text =
      user_drop_in_text("d.service", "one", "/usr/bin/vpnrun", {{"-", "/bin/a"}, {"", "/bin/b"}});
  const auto settings = parse_unit_text(text);
  EXPECT_THAT(service_values(settings, "ExecStart"),
              ElementsAre("-/usr/bin/vpnrun --profile one -- /bin/a",
                          "/usr/bin/vpnrun --profile one -- /bin/b"));
  EXPECT_THAT(text, HasSubstr("\nExecStart=\n"));
  EXPECT_THAT(service_values(settings, "NetworkNamespacePath"), IsEmpty());
  EXPECT_THAT(service_values(settings, "RestrictSUIDSGID"), ElementsAre("no"));
}

}  // namespace
}  // namespace vpnrun
