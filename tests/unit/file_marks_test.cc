// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/file_marks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

TEST(FileMarks, SeeWhatWasWrittenReplacedRemovedAndMade) {
  const test::ScratchFolder folder;
  folder.write("a", "text");
  const std::string path = folder / "a";
  const std::string absent = folder / "absent";
  const std::vector<FileMark> marks = {mark_of(path), mark_of(absent)};
  EXPECT_FALSE(have_changed(marks));
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_TRUE(have_changed(marks));
  std::vector<FileMark> now = {mark_of(path)};
  EXPECT_FALSE(have_changed(now));
  folder.write("b", "textmore");
  std::filesystem::rename(folder / "b", path);  // of the same length, as an editor does it
  EXPECT_TRUE(have_changed(now));
  now = {mark_of(path)};
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_TRUE(have_changed(now));
  now = {mark_of(path)};
  std::filesystem::remove(path);
  EXPECT_TRUE(have_changed(now));
  folder.write("absent", "");
  EXPECT_TRUE(have_changed({marks[1]}));
  EXPECT_FALSE(have_changed({}));
}

TEST(FileMarks, ALinkIsNotWhatItLeadsTo) {
  const test::ScratchFolder folder;
  folder.write("a", "text");
  std::filesystem::create_symlink("a", folder / "link");
  const std::vector<FileMark> marks = {mark_of(folder / "link")};
  std::filesystem::remove(folder / "link");
  folder.write("link", "text");
  EXPECT_TRUE(have_changed(marks));
}

TEST(HiddenFolder, IsTheOneThatTheMachineHasAndWeDoNot) {
  // The scratch folder stands for the machine: it has a /tmp of its own, and a /no-such-folder.
  const test::ScratchFolder machine;
  std::filesystem::create_directories(machine / "tmp/deep");
  std::filesystem::create_directories(machine / "no-such-folder/deep");
  const std::string root = machine / "";
  const std::string without_slash = root.substr(0, root.find_last_not_of('/') + 1);
  EXPECT_EQ(hidden_folder("/tmp/deep/x.ovpn", without_slash), "/tmp");
  EXPECT_EQ(hidden_folder("/no-such-folder/deep/x.ovpn", without_slash), "/no-such-folder");
  EXPECT_EQ(hidden_folder("/etc/x.ovpn", without_slash), "") << "the machine has none";
  EXPECT_EQ(hidden_folder("/tmp/deep/x.ovpn", ""), "") << "the same machine";
  EXPECT_EQ(hidden_folder("/tmp/x", "/proc/0/root"), "") << "what cannot be told";
}

}  // namespace
}  // namespace vpnrun::service
