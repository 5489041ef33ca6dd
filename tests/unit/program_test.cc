// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

class ProgramTest : public ::testing::Test {
 protected:
  void add(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    folder_.write(name, text);
    ASSERT_EQ(::chmod((folder_ / name).c_str(), mode), 0);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return std::filesystem::canonical(folder_ / name).string();
  }
  [[nodiscard]] static test::Words environment(const std::string& search) {
    return test::Words({"A=1", "PATH=" + search});
  }

  test::ScratchFolder folder_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

TEST_F(ProgramTest, IsFoundWithItsLinksFollowedAndItsBeginning) {
  add("app", "#!/bin/sh\necho\n");
  std::filesystem::create_symlink(folder_ / "app", folder_ / "link");
  const Program program = find_program("link", environment(folder_.path()).data());
  EXPECT_EQ(program.path, path("app"));
  EXPECT_EQ(program.beginning, "#!/bin/sh\necho\n");
  EXPECT_EQ(find_program("none", environment(folder_.path()).data()).path, "");
  EXPECT_EQ(find_program("", environment(folder_.path()).data()).path, "");
}

TEST_F(ProgramTest, IsInterpretedByWhatItsFirstLineSays) {
  add("tool",
      "\x7f"
      "ELF");
  add("script", "#! " + path("tool") + " -x\nrest\n");
  add("by-env", "#!/usr/bin/env -S LC_ALL=C tool -x\n");
  add("last-line", "#!" + path("tool"));
  const test::Words variables = environment(folder_.path());
  for (const char* name : {"script", "by-env", "last-line"}) {
    const auto interpreter = interpreter_of(find_program(name, variables.data()), variables.data());
    ASSERT_TRUE(interpreter) << name;
    EXPECT_EQ(interpreter->path, path("tool")) << name;
  }
  add("empty-line", "#!\n");
  add("env-alone", "#!/usr/bin/env\n");
  for (const char* name : {"empty-line", "env-alone"}) {
    const auto interpreter = interpreter_of(find_program(name, variables.data()), variables.data());
    ASSERT_TRUE(interpreter) << name;
    EXPECT_EQ(interpreter->path, "") << name;
  }
  EXPECT_FALSE(interpreter_of(find_program("tool", variables.data()), variables.data()));
}

TEST_F(ProgramTest, IsInPathIfItCanBeSeen) {
  add("not-executable", "", 0644);
  const test::Words variables = environment("/nonexistent:" + folder_.path());
  EXPECT_TRUE(is_in_path("not-executable", variables.data()));
  EXPECT_FALSE(is_in_path("none", variables.data()));
  EXPECT_FALSE(is_in_path("", variables.data()));
}

TEST(CommandName, IsTheLastComponent) {
  EXPECT_EQ(command_name("/usr/bin/ssh"), "ssh");
  EXPECT_EQ(command_name("ssh"), "ssh");
  EXPECT_EQ(command_name("a/"), "");
  EXPECT_EQ(command_name(""), "");
}

}  // namespace
}  // namespace vpnrun
