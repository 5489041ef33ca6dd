// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/profile_choice.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/user_config.h"
#include "profiles/base/error.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using test::Machine;
using ::testing::HasSubstr;

class ProfileChoice : public ::testing::Test {
 protected:
  [[nodiscard]] std::string choose() const {
    return choose_profile(inputs_, machine_.places).profile;
  }
  [[nodiscard]] std::string refusal() const {
    try {
      return "chose " + choose();
    } catch (const Error& error) {
      return std::string(error.what()) + " / " + error.hint();
    }
  }
  void use_configs() {
    inputs_.config_files = {machine_.folder / "user.toml", machine_.folder / "system.toml"};
  }

  Machine machine_;
  ChoiceInputs inputs_{
      .option = "", .environment = "", .config_files = {}, .command = "/opt/b/app"};
};

TEST_F(ProfileChoice, OptionBeatsEnvironmentBeatsFiles) {
  use_configs();
  machine_.folder.write("user.toml", "default = \"file\"\n");
  EXPECT_EQ(choose(), "file");
  inputs_.environment = "environment";
  EXPECT_EQ(choose(), "environment");
  inputs_.option = "option";
  EXPECT_EQ(choose(), "option");
}

TEST_F(ProfileChoice, FileOfTheUserBeatsThatOfTheSystemAndAppsBeatDefault) {
  use_configs();
  machine_.folder.write("system.toml", "default = \"low\"\n[apps]\napp = \"system-app\"\n");
  EXPECT_EQ(choose(), "system-app");
  machine_.folder.write("user.toml", "[apps]\nother = \"x\"\n");
  EXPECT_EQ(choose(), "system-app");
  machine_.folder.write("user.toml", "default = \"user\"\n");
  EXPECT_EQ(choose(), "user");
  machine_.folder.write("user.toml", "default = \"user\"\n[apps]\napp = \"user-app\"\n");
  EXPECT_EQ(choose(), "user-app");
}

TEST_F(ProfileChoice, TakesTheOnlyUsableProfile) {
  machine_.add_profile("home");
  machine_.add_profile("work");
  machine_.prepare("work");
  EXPECT_EQ(choose(), "work");
}

TEST_F(ProfileChoice, TakesTheOnlyProfileEvenBeforeItIsPrepared) {
  machine_.add_profile("work");
  EXPECT_EQ(choose(), "work");
}

TEST_F(ProfileChoice, ListsTheUsableOnesIfThereAreSeveral) {
  for (const char* name : {"home", "work", "closed"}) {
    machine_.add_profile(name);
  }
  machine_.prepare("home");
  machine_.prepare("work");
  EXPECT_THAT(refusal(), HasSubstr("there are several / use --profile with one of: home, work;"));
}

TEST_F(ProfileChoice, SaysIfThereIsNoneOrNoneIsUsable) {
  EXPECT_THAT(refusal(), HasSubstr("cannot choose a profile: there are none"));
  machine_.add_profile("home");
  machine_.add_profile("work");
  EXPECT_THAT(refusal(),
              HasSubstr("none of them is prepared and open to you / the profiles are: home, work"));
}

TEST_F(ProfileChoice, RefusesANameThatCannotBeOneWhereverItComesFrom) {
  inputs_.environment = "../etc\x1b[2J";
  EXPECT_THAT(refusal(), HasSubstr("profile '../etc?[2J' ($VPNRUN_PROFILE): this is not the name"));
}

TEST_F(ProfileChoice, SuggestsTheNearestNameForAMistypedOne) {
  machine_.add_profile("tunnelbear");
  machine_.prepare("tunnelbear");
  EXPECT_EQ(suggest_profile("tunelbear", machine_.places), "did you mean 'tunnelbear'?");
  EXPECT_EQ(suggest_profile("tunnelbear", machine_.places), "");
  EXPECT_EQ(suggest_profile("company", machine_.places), "your profiles are: tunnelbear");
}

TEST_F(ProfileChoice, SuggestionsDoNotTellAForbiddenNameFromAnAbsentOne) {
  machine_.add_profile("secret");  // not prepared, so not open to anybody
  EXPECT_EQ(suggest_profile("secret", machine_.places), suggest_profile("absent", machine_.places));
  machine_.add_profile("home");
  machine_.prepare("home");
  EXPECT_EQ(suggest_profile("secret", machine_.places), suggest_profile("absent", machine_.places));
}

TEST_F(ProfileChoice, AConfigurationThatCannotBeReadStopsTheLaunch) {
  use_configs();
  machine_.folder.write("user.toml", "default = \"a\"\ndefalt = \"b\"\n");
  machine_.folder.write("system.toml", "default = \"system\"\n");
  EXPECT_THAT(refusal(), HasSubstr("user.toml:2:1: unknown key 'defalt'"));
}

TEST(UserConfig, RefusesWrongTypesAndNamesThePlace) {
  const auto refusal = [](const char* text) {
    try {
      (void)parse_user_config(text, "F");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal("default = 3\n"), "F:1:11: 'default' must be the name of a profile");
  EXPECT_THAT(refusal("[apps]\n\"a b\" = \"X Y\"\n"), HasSubstr("F:2:9: 'a b' must be the name"));
  EXPECT_THAT(refusal("apps = 1\n"), HasSubstr("F:1:8: 'apps' must be a table"));
  EXPECT_THAT(refusal("default = \n"), HasSubstr("F:1:"));
  EXPECT_THAT(refusal("default = \"a\"\nö = 1\n"),
              HasSubstr("F:2:1: not valid TOML: 'ö' outside of a string in 'ö = 1'"));
  EXPECT_THAT(refusal("[!]\n"), HasSubstr("F:1:2: not valid TOML"));
}

TEST(UserConfig, PathFollowsTheBaseDirectorySpecification) {
  EXPECT_EQ(user_config_path("/x", "/home/a"), "/x/vpnrun/config.toml");
  EXPECT_EQ(user_config_path("", "/home/a"), "/home/a/.config/vpnrun/config.toml");
  EXPECT_EQ(user_config_path("relative", "/home/a"), "/home/a/.config/vpnrun/config.toml");
  EXPECT_EQ(user_config_path(nullptr, nullptr), "");
  EXPECT_EQ(user_config_path(nullptr, "home"), "");
}

}  // namespace
}  // namespace vpnrun
