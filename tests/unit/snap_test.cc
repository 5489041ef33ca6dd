// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/snap.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

TEST(Snap, IsKnownByWhereItsLinksLead) {
  for (const char* path : {"/usr/bin/snap", "/bin/snap", "/snap/core/current/usr/bin/snap",
                           "/snap/hello/42/bin/hello", "/var/lib/snapd/snap/bin/hello",
                           "/usr/lib/snapd/snap-confine", "/usr/libexec/snapd/snap-exec"}) {
    EXPECT_TRUE(is_snap(path)) << path;
  }
  for (const char* path : {"/usr/bin/snapper", "/opt/snap/bin/snap", "/usr/local/bin/snap", "/snap",
                           "/home/alice/snap/hello", "/usr/bin/firefox", ""}) {
    EXPECT_FALSE(is_snap(path)) << path;
  }
}

TEST(Snap, IsSeenBehindTheScriptThatADistributionLeaves) {
  EXPECT_TRUE(
      becomes_snap("#!/bin/sh\n\nif ! [ -x /snap/bin/firefox ]; then\n  exit 1\nfi\n\n"
                   "exec /snap/bin/firefox \"$@\"\n"));
  EXPECT_TRUE(becomes_snap("#!/bin/sh\n  exec \t \"/snap/bin/chromium\" \"$@\"\n"));
  EXPECT_FALSE(becomes_snap("#!/bin/sh\nPATH=$PATH:/snap/bin/\nexec /usr/bin/firefox\n"));
  EXPECT_FALSE(becomes_snap("#!/bin/sh\ntest -x /snap/bin/x || exec /usr/bin/y\n"));
  EXPECT_FALSE(
      becomes_snap("\x7f"
                   "ELF exec /snap/bin/x"));
  EXPECT_FALSE(becomes_snap(""));
}

TEST(Snap, IsFoundByPathAsExecDoes) {
  const test::ScratchFolder folder;
  const auto add = [&folder](const std::string& name, const std::string& text) {
    folder.write(name, text);
    ASSERT_EQ(::chmod((folder / name).c_str(), 0755), 0);
  };
  for (const char* name : {"first", "second"}) {
    std::filesystem::create_directory(folder / name);
  }
  add("first/app", "#!/bin/sh\n");
  add("second/app", "#!/bin/sh\nexec /snap/bin/app\n");
  std::filesystem::create_symlink(folder / "second/app", folder / "first/link");
  folder.write("first/other", "#!/bin/sh\nexec /snap/bin/app\n");  // cannot be executed
  add("second/other", "#!/bin/sh\n");
  const std::string path =
      "PATH=" + (folder / "first").string() + ":" + (folder / "second").string();
  const test::Words environment({"A=1", path});
  for (const char* harmless : {"app", "other", "absent", ""}) {
    EXPECT_NO_THROW(refuse_snap(harmless, find_program(harmless, environment.data()))) << harmless;
  }
  for (const std::string& snap : {std::string("link"), (folder / "second/app").string()}) {
    try {
      refuse_snap(snap, find_program(snap, environment.data()));
      ADD_FAILURE() << snap;
    } catch (const Error& error) {
      EXPECT_EQ(error.what(),
                "cannot start '" + snap +
                    "': it is a snap, which snapd starts with the machine's own /run: "
                    "its names would be looked up outside the tunnel");
      EXPECT_NE(error.hint(), "");
    }
  }
}

}  // namespace
}  // namespace vpnrun
