// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/i386.h"

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/as_root.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The first 20 bytes of an ELF file.
std::string elf(char bits, char order, char machine) {
  std::string text(
      "\x7f"
      "ELF",
      4);
  text += {bits, order, 1};
  text.resize(16);
  text += {2, 0, machine, 0};
  return text;
}

constexpr char k32 = 1;
constexpr char k64 = 2;
constexpr char kLittle = 1;
constexpr char kBig = 2;
constexpr char kEm386 = 3;
constexpr char kEmX8664 = 62;

TEST(I386, IsToldByTheHeadOfAProgram) {
  EXPECT_TRUE(is_i386_program(elf(k32, kLittle, kEm386)));
  EXPECT_FALSE(is_i386_program(elf(k64, kLittle, kEmX8664)));
  EXPECT_FALSE(is_i386_program(elf(k32, kLittle, kEmX8664)));  // x32
  EXPECT_FALSE(is_i386_program(elf(k32, kLittle, 40)));        // ARM
  EXPECT_FALSE(is_i386_program(elf(k32, kBig, kEm386)));
  EXPECT_FALSE(is_i386_program(elf(k32, kLittle, kEm386).substr(0, 19)));
  EXPECT_FALSE(is_i386_program("#!/bin/sh\n"));
  EXPECT_FALSE(is_i386_program(""));
}

TEST(I386, IsLookedForBehindOneInterpreterLineAndByName) {
  const test::ScratchFolder folder;
  const auto add = [&folder](const std::string& name, const std::string& text) {
    folder.write(name, text);
    ASSERT_EQ(::chmod((folder / name).c_str(), 0755), 0);
  };
  const test::Words variables({"PATH=" + folder.path()});
  const auto look = [&variables](const std::string& command) {
    return look_for_i386(command, find_program(command, variables.data()), variables.data());
  };
  add("small32", elf(k32, kLittle, kEm386));
  add("native", elf(k64, kLittle, kEmX8664));
  add("script", "#!" + folder.path() + "/small32\n");
  add("by-env", "#!/usr/bin/env small32\n");
  add("plain", "#!/bin/sh\n");
  add("steam", "#!/bin/sh\n");
  add("wine-stable", "#!/bin/sh\n");
  add("game.exe", "MZ\x90");
  add("by-wine", "#!" + folder.path() + "/wine-stable\n");
  EXPECT_EQ(look("small32"), Is32Bit::kYes);
  EXPECT_EQ(look(folder / "small32"), Is32Bit::kYes);
  EXPECT_EQ(look("script"), Is32Bit::kYes);
  EXPECT_EQ(look("by-env"), Is32Bit::kYes);
  EXPECT_EQ(look("native"), Is32Bit::kNo);
  EXPECT_EQ(look("plain"), Is32Bit::kNo);
  EXPECT_EQ(look("absent"), Is32Bit::kNo);
  EXPECT_EQ(look("steam"), Is32Bit::kMayStartSome);
  EXPECT_EQ(look("wine-stable"), Is32Bit::kMayStartSome);
  EXPECT_EQ(look("game.exe"), Is32Bit::kMayStartSome);
  EXPECT_EQ(look("by-wine"), Is32Bit::kMayStartSome);
}

TEST(I386, IsToldWhereItMatters) {
  EXPECT_EQ(i386_warning("one", false, "app", Is32Bit::kNo), std::nullopt);
  const auto closed = i386_warning("one", false, "/bin/small32", Is32Bit::kYes);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->text,
            "'small32' is a 32-bit x86 program: in profile 'one' most of these get no sockets, and "
            "so no network");
  EXPECT_THAT(closed->hint, AllOf(HasSubstr("as root: i386 = true in [application]"),
                                  HasSubstr("systemctl reload vpnrun-netns@one")));
  EXPECT_THAT(i386_warning("one", false, "steam", Is32Bit::kMayStartSome)->text,
              HasSubstr("may start 32-bit x86 programs"));
  const auto open = i386_warning("one", true, "app", Is32Bit::kNo);
  ASSERT_TRUE(open);
  EXPECT_THAT(open->text, AllOf(HasSubstr("i386 = true"), HasSubstr("AF_VSOCK"),
                                HasSubstr("AF_BLUETOOTH"), HasSubstr("every family")));
}

TEST(AsRoot, AdministratorsAreThoseOfTheUsualGroups) {
  constexpr std::string_view kGroups =
      "root:x:0:\nsudo:x:27:alice\nwheel:x:10:\nusers:x:100:\nadmin:x:\nsudoers:x:300:\nbroken\n";
  const auto is = [&](const std::vector<gid_t>& groups) {
    return is_administrator(kGroups, groups);
  };
  EXPECT_TRUE(is({1000, 27}));
  EXPECT_TRUE(is({10}));
  EXPECT_FALSE(is({1000, 100, 300}));
  EXPECT_FALSE(is({0}));
  EXPECT_FALSE(is({}));
  EXPECT_FALSE(is_administrator("", std::vector<gid_t>{27}));
}

TEST(AsRoot, IsSaidInTheWayThatTheCallerHas) {
  EXPECT_THAT(as_root("a; b"), ::testing::AnyOf("as root: a; b", "sudo a; sudo b"));
}

}  // namespace
}  // namespace vpnrun
