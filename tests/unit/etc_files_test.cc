// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/etc_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(ResolvConf, NamesAtMostAsManyServersAsLibcReads) {
  const std::string text = resolv_conf_text({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, {});
  EXPECT_THAT(text, HasSubstr("nameserver 10.0.0.3\n"));
  EXPECT_THAT(text, Not(HasSubstr("10.0.0.4")));
}

TEST(ResolvConf, HasTheSearchDomainsInOneLine) {
  EXPECT_THAT(resolv_conf_text({}, {"a.example", "b.example"}),
              HasSubstr("\nsearch a.example b.example\n"));
}

TEST(ResolvConf, IsAlwaysWholeStepsLong) {
  EXPECT_EQ(resolv_conf_text({}, {}).size(), kResolvConfStep);
  EXPECT_EQ(resolv_conf_text({}, {std::string(2000, 'a')}).size() % kResolvConfStep, 0U);
}

TEST(ResolvConf, IsWrittenWithoutChangingItsInode) {
  const test::ScratchFolder folder;
  const UniqueFd etc(::open((folder / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  write_resolv_conf(etc.get(), resolv_conf_text({"10.0.0.1"}, {std::string(1500, 'a')}));
  struct stat before {};
  ASSERT_EQ(::fstatat(etc.get(), "resolv.conf", &before, 0), 0);
  const std::string shorter = resolv_conf_text({"10.9.9.9"}, {});
  write_resolv_conf(etc.get(), shorter);
  struct stat after {};
  ASSERT_EQ(::fstatat(etc.get(), "resolv.conf", &after, 0), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(text_of((folder / "resolv.conf").string()), shorter);
}

TEST(Nsswitch, KeepsEverythingButTheSourcesOfHosts) {
  EXPECT_EQ(nsswitch_text("passwd: files systemd\n"
                          "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n"
                          "services: db files\n"),
            "passwd: files systemd\nhosts: files dns\nservices: db files\n");
}

TEST(Nsswitch, ReplacesEveryHostsLineHoweverItIsIndented) {
  const std::string text = nsswitch_text(" \thosts:\tresolve\n#hosts: mdns\nhosts: mdns4");
  EXPECT_EQ(text, "hosts: files dns\n#hosts: mdns\nhosts: files dns\n");
}

TEST(Nsswitch, HasAHostsLineEvenWithoutAHostFile) {
  EXPECT_EQ(nsswitch_text(""), "hosts: files dns\n");
}

TEST(ReplaceFile, GivesTheNewTextAnInodeOfItsOwnAndLeavesNoOtherFile) {
  const test::ScratchFolder folder;
  const UniqueFd dir(::open((folder / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  replace_file(dir.get(), "state.json", "one");
  replace_file(dir.get(), "state.json", "two");
  EXPECT_EQ(text_of((folder / "state.json").string()), "two");
  EXPECT_NE(::faccessat(dir.get(), ".state.json.new", F_OK, 0), 0);
}

}  // namespace
}  // namespace vpnrun::service
