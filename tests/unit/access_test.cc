// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/access.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/os/child.h"
#include "systemd/service/os/event_loop.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

profile::Access access_of(std::vector<std::string> users, std::vector<std::string> groups = {}) {
  profile::Access access;
  for (std::size_t i = 0; i < users.size(); ++i) {
    access.user_places.push_back("/p/work.toml:7:" + std::to_string(10 + i));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    access.group_places.push_back("/p/work.toml:8:" + std::to_string(10 + i));
  }
  access.users = std::move(users);
  access.groups = std::move(groups);
  return access;
}

/// The machine's user database.
FoundAccount find(AccountKind kind, const std::string& name) {
  using Answer = FoundAccount::Answer;
  static const std::map<std::pair<AccountKind, std::string>, FoundAccount> known = {
      {{AccountKind::kUser, "alice"}, {Answer::kFound, 1000, ""}},
      {{AccountKind::kUser, "alice2"}, {Answer::kFound, 1000, ""}},
      {{AccountKind::kGroup, "vpn"}, {Answer::kFound, 44, ""}},
      {{AccountKind::kUser, "client"}, {Answer::kFound, 60706, ""}},
      {{AccountKind::kGroup, "nogroup"}, {Answer::kFound, 65534, ""}},
      {{AccountKind::kUser, "carol"}, {Answer::kNone, 0, "Connection refused"}},
  };
  const auto found = known.find({kind, name});
  return found == known.end() ? FoundAccount{Answer::kUnknown, 0, ""} : found->second;
}

TEST(Access, AdmitsByNumberAndEachOnce) {
  const Admitted admitted = whom_it_admits(access_of({"alice", "alice2"}, {"vpn"}), "work", find);
  EXPECT_THAT(admitted.users, ElementsAre(1000U));
  EXPECT_THAT(admitted.groups, ElementsAre(44U));
  EXPECT_THAT(admitted.warnings, IsEmpty());
}

TEST(Access, ANameThatNobodyHasIsLeftOutAndToldWithItsPlace) {
  const Admitted admitted = whom_it_admits(access_of({"alice", "alcie"}, {"vnp"}), "work", find);
  EXPECT_THAT(admitted.users, ElementsAre(1000U));
  EXPECT_THAT(admitted.groups, IsEmpty());
  ASSERT_EQ(admitted.warnings.size(), 2U);
  EXPECT_STREQ(admitted.warnings[0].what(),
               "/p/work.toml:7:11: [access] users names 'alcie', which does not exist");
  EXPECT_THAT(admitted.warnings[0].hint(), HasSubstr("'getent passwd alcie'"));
  EXPECT_STREQ(admitted.warnings[1].what(),
               "/p/work.toml:8:10: [access] groups names 'vnp', which does not exist");
}

TEST(Access, WhoIsNotAnsweredForIsLeftOutForNow) {
  const Admitted admitted = whom_it_admits(access_of({"carol", "alice"}), "work", find);
  EXPECT_THAT(admitted.users, ElementsAre(1000U));
  EXPECT_THAT(admitted.warnings.at(0).what(),
              HasSubstr("does not admit 'carol' for now: Connection refused"));
}

TEST(Access, NobodyIsAdmittedIfOneMayNotBe) {
  EXPECT_THROW((void)whom_it_admits(access_of({"alice", "client"}), "work", find), Error);
  EXPECT_THROW((void)whom_it_admits(access_of({"alice"}, {"nogroup"}), "work", find), Error);
}

/// A program that takes its time, and says how often it was started.
class AccessKeeperTest : public testing::Test {
 protected:
  AccessKeeperTest() {
    folder_.write("find",
                  "#!/bin/sh\necho >>" + folder_.path() + "/starts\nsleep 0.2\necho 1000\n");
    std::filesystem::permissions(folder_ / "find", std::filesystem::perms::owner_all);
    folder_.write("work.toml", "");
    profile_.name = "work";
    profile_.access = access_of({"alice"});
  }
  void turn_until(const std::function<bool()>& is_so) {
    const auto patience = loop_.after(std::chrono::seconds(20), [this] { loop_.stop(); });
    EventLoop::Handle next;
    const std::function<void()> look = [&] {
      if (is_so()) {
        loop_.stop();
      } else {
        next = loop_.after(std::chrono::milliseconds(10), look);
      }
    };
    next = loop_.after(std::chrono::milliseconds(0), look);
    loop_.run();
  }
  [[nodiscard]] long starts() const {
    std::ifstream file(folder_ / "starts");
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

  test::ScratchFolder folder_;
  EventLoop loop_;
  UniqueFd directory_{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  profile::Profile profile_;
  int told_ = 0;
  AccessKeeper keeper_{loop_, directory_.get(), [this](const auto& /*warnings*/) { ++told_; },
                       folder_ / "find"};
};

TEST_F(AccessKeeperTest, WhoOrdersItOnAndOnDoesNotPutItOff) {
  const FileMark file = mark_of(folder_ / "work.toml");
  turn_until([&] {
    keeper_.apply(profile_, file);
    return told_ != 0;
  });
  EXPECT_EQ(told_, 1);
  const long before = starts();
  EXPECT_LE(before, 2);
  turn_until([&] { return told_ == 2; });
  EXPECT_EQ(told_, 2) << "what was ordered meanwhile";
}

TEST_F(AccessKeeperTest, AProfileThatWasChangedIsAppliedAtOnce) {
  keeper_.apply(profile_, mark_of(folder_ / "work.toml"));
  folder_.write("work.toml", "changed");
  keeper_.apply(profile_, mark_of(folder_ / "work.toml"));
  turn_until([&] { return told_ != 0; });
  EXPECT_EQ(told_, 1);
}

/// What the program writes.
std::string answered(const std::string& questions) {
  const UniqueFd input = memory_file("questions", questions);
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  (void)find_accounts_main(input.get(), write_end.get());
  write_end.reset();
  std::array<char, 4096> text{};
  const ssize_t got = ::read(read_end.get(), text.data(), text.size());
  return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

TEST(FindAccounts, AnswersALineForEachNameInTheirOrder) {
  EXPECT_EQ(answered("u root\ng root\nu no such user\n"), "0\n0\nunknown\n");
  EXPECT_EQ(answered("u root\nx\nu root\n"), "0\n");
  EXPECT_EQ(answered(""), "");
}

}  // namespace
}  // namespace vpnrun::service
