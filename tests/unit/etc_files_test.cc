// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/etc_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "systemd/service/os/child.h"
#include "tests/unit/failing_call.h"
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

constexpr const char* kLongestAddress = "2001:db8:1111:2222:3333:4444:5555:6666";
std::vector<std::string> many_domains() {
  std::vector<std::string> domains;
  domains.resize(20, "a-domain-of-some-length.example");
  return domains;
}

TEST(ResolvConf, HasTheSameSizeWhateverTheResolvers) {
  const std::size_t size = resolv_conf_text({}, {}).size();
  EXPECT_EQ(resolv_conf_text({"10.0.0.1"}, {"corp.example"}).size(), size);
  EXPECT_EQ(resolv_conf_text({3, kLongestAddress}, {"corp.example", "lab.example"}).size(), size);
}

TEST(ResolvConf, ShowsNoEmptyLineAndNoneWiderThanATerminal) {
  for (const std::string& text :
       {resolv_conf_text({}, {}), resolv_conf_text({"10.0.0.1"}, {"corp.example"}),
        resolv_conf_text({3, kLongestAddress}, {"corp.example"})}) {
    std::istringstream lines(text);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      EXPECT_NE(line, "");
      EXPECT_LT(line.size(), 80U);
    }
    EXPECT_LT(count, 9U);
  }
}

TEST(ResolvConf, DomainsThatTakeMoreThanALineComeBehindAPartOfTheUsualSize) {
  const std::string few = resolv_conf_text({"10.0.0.1"}, {});
  const std::string many = resolv_conf_text({"10.0.0.1"}, many_domains());
  EXPECT_EQ(many.substr(few.size(), 7), "search ");
  EXPECT_EQ(many.find("search "), few.size());
}

/// The file, and a child in which one call of its writing fails.
class ResolvConfFile : public testing::Test {
 protected:
  void write(const std::string& text) { write_resolv_conf(etc_.get(), text); }
  void write_failing_at(unsigned call, const std::string& text) {
    run_in_child({{}, {etc_.get()}}, [this, call, &text] {
      test::let_fail(call, EIO);
      try {
        write(text);
      } catch (const Error&) {
        return;
      }
      throw Error("the call was not made");
    });
  }
  [[nodiscard]] std::string text() const { return text_of((folder_ / "resolv.conf").string()); }

 private:
  test::ScratchFolder folder_;
  UniqueFd etc_{::open((folder_ / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(ResolvConfFile, HasTheNewTextAndEmptyLinesUntilItIsCutOff) {
  const std::string longer = resolv_conf_text({"10.0.0.1"}, many_domains());
  const std::string shorter = resolv_conf_text({"10.9.9.9"}, {});
  write(longer);
  write_failing_at(SYS_ftruncate, shorter);
  EXPECT_EQ(text(), shorter + std::string(longer.size() - shorter.size(), '\n'));
  write(shorter);
  EXPECT_EQ(text(), shorter);
  write_failing_at(SYS_pwrite64, longer);
  EXPECT_EQ(text(), shorter);
  write(longer);
  EXPECT_EQ(text(), longer);
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
                          "services: db files\n",
                          OwnNameSource::kFiles),
            "passwd: files systemd\nhosts: files dns\nservices: db files\n");
}

TEST(Nsswitch, AsksTheModuleForTheOwnNameBeforeAnyResolver) {
  EXPECT_EQ(nsswitch_text("hosts: myhostname resolve dns\n", OwnNameSource::kModule),
            "hosts: files myhostname dns\n");
}

TEST(Nsswitch, ReplacesEveryHostsLineHoweverItIsIndented) {
  const std::string text =
      nsswitch_text(" \thosts:\tresolve\n#hosts: mdns\nhosts: mdns4", OwnNameSource::kFiles);
  EXPECT_EQ(text, "hosts: files dns\n#hosts: mdns\nhosts: files dns\n");
}

TEST(Nsswitch, HasAHostsLineEvenWithoutAHostFile) {
  EXPECT_EQ(nsswitch_text("", OwnNameSource::kFiles), "hosts: files dns\n");
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
