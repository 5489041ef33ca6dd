// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/view_watch.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/os/child.h"
#include "tests/unit/failing_call.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using Haste = WatchedFolder::Haste;
using Names = std::vector<std::string>;

class ViewWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"etc", "run"}) {
      std::filesystem::create_directory(folder_ / name);
    }
    folder_.write("etc/resolv.conf", "the host's");
  }
  void turn() {
    const auto end = loop_.after(std::chrono::milliseconds(100), [this] { loop_.stop(); });
    loop_.run();
  }
  void replace(const std::string& name) const {
    folder_.write(name + ".new", "another");
    ASSERT_EQ(std::rename((folder_ / (name + ".new")).c_str(), (folder_ / name).c_str()), 0);
  }

  test::ScratchFolder folder_;
  EventLoop loop_;
  int renewals_ = 0;
  static Names names_in(const std::filesystem::path& folder) {
    Names names;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
      if (!entry.path().filename().string().starts_with('.')) {
        names.push_back(entry.path().filename());
      }
    }
    return names;
  }
  std::vector<WatchedFolder> folders_{
      {(folder_ / "etc").string(), Haste::kAtOnce,
       [] {
         return Names{"resolv.conf", "netns"};
       }},
      {(folder_ / "etc/netns").string(), Haste::kAtOnce,
       [this] { return names_in(folder_ / "etc/netns"); }},
      {(folder_ / "run").string(), Haste::kSettled, [this] { return names_in(folder_ / "run"); }}};
};

TEST_F(ViewWatchTest, RenewsAtOnceWhenAFileThatIsLaidOverIsReplaced) {
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  turn();
  EXPECT_EQ(renewals_, 0);
  for (int round = 1; round <= 5; ++round) {
    replace("etc/resolv.conf");
    turn();
    EXPECT_GE(renewals_, round);
  }
}

TEST_F(ViewWatchTest, RenewsForAFileThatIsLaidOverAndIsWrittenInPlace) {
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  folder_.write("etc/resolv.conf", "written");
  turn();
  EXPECT_GE(renewals_, 1);
}

TEST_F(ViewWatchTest, SeesAFolderThatComesLater) {
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  std::filesystem::create_directory(folder_ / "etc/netns");
  turn();
  const int before = renewals_;
  EXPECT_GE(before, 1);
  folder_.write("etc/netns/hosts", "127.0.0.1 localhost");
  turn();
  EXPECT_GT(renewals_, before);
}

TEST_F(ViewWatchTest, RenewsAgainWhenWhatCameMeanwhileIsGoneBeforeItIsReported) {
  const std::filesystem::path hosts = folder_ / "etc/netns/hosts";
  std::filesystem::create_directory(folder_ / "etc/netns");
  turn();
  bool is_laid = false;
  EventLoop::Handle next_turn;
  const ViewWatch watch(loop_, folders_, [&] {
    if (++renewals_ == 1) {
      folder_.write("etc/netns/hosts", "127.0.0.1 localhost");
      next_turn =
          loop_.after(std::chrono::milliseconds(0), [&hosts] { std::filesystem::remove(hosts); });
    }
    is_laid = std::filesystem::exists(hosts);
  });
  std::filesystem::create_directory(folder_ / "etc/netns/one");
  for (int turns = 0; (renewals_ == 0 || is_laid) && turns < 50; ++turns) {
    turn();
  }
  EXPECT_FALSE(is_laid) << "the view has what is there no more";
}

TEST_F(ViewWatchTest, DoesNothingForWhatTheViewDoesNotDependOn) {
  folder_.write("run/utmp", "");
  turn();  // what is younger than a tick of the clock might change again unseen
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  for (int i = 0; i < 20; ++i) {
    folder_.write("run/utmp", "somebody logged in");  // by a program that is setgid utmp
    replace("etc/passwd");                            // by chfn(1)
    folder_.write("run/.in-the-making", "");
    turn();
  }
  EXPECT_EQ(renewals_, 0);
}

TEST_F(ViewWatchTest, SettlesWhileSomethingComesAndGoesOnAndOn) {
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  folder_.write("run/first", "");
  turn();
  EXPECT_EQ(renewals_, 1) << "the first one is seen at once";
  int changes = 0;
  const auto end = EventLoop::Clock::now() + std::chrono::milliseconds(1000);
  while (EventLoop::Clock::now() < end) {
    folder_.write("run/again", "");
    std::filesystem::remove(folder_ / "run/again");
    ++changes;
    const auto stop = loop_.after(std::chrono::milliseconds(0), [this] { loop_.stop(); });
    loop_.run();
  }
  EXPECT_GT(changes, 100);
  EXPECT_LE(renewals_, 5) << "of " << changes << " changes";
  // And the last state is seen, some time.
  const int before = renewals_;
  folder_.write("run/last", "");
  for (int turns = 0; renewals_ == before && turns < 400; ++turns) {
    turn();
  }
  EXPECT_GT(renewals_, before);
}

TEST_F(ViewWatchTest, IsInHasteForALaidOverFileAlsoWhileOthersAreNot) {
  const ViewWatch watch(loop_, folders_, [this] { ++renewals_; });
  for (int i = 0; i < 20; ++i) {
    folder_.write("run/" + std::to_string(i), "");
    turn();
  }
  const int before = renewals_;
  replace("etc/resolv.conf");
  turn();
  EXPECT_GT(renewals_, before);
}

/// As for a user whose instances of inotify(7) are all taken.
TEST_F(ViewWatchTest, RenewsAtOnceWithoutInotify) {
  EXPECT_NO_THROW(run_in_child({}, [this] {
    test::let_fail(SYS_inotify_init1, EMFILE);
    EventLoop loop;
    const ViewWatch watch(loop, folders_, [&] { loop.stop(); });
    const auto end = loop.after(FolderWatch::kPace / 2, [] { throw Error("not renewed"); });
    replace("etc/resolv.conf");
    loop.run();
  }));
}

TEST_F(ViewWatchTest, LooksAtAPaceWhereTheKernelTellsNothing) {
  turn();
  EXPECT_NO_THROW(run_in_child({}, [this] {
    test::let_fail(SYS_inotify_init1, EMFILE);
    test::let_fail(SYS_fcntl, EINVAL, test::Argument{1, F_NOTIFY});
    EventLoop loop;
    const ViewWatch watch(loop, folders_, [&] {
      ++renewals_;
      loop.stop();
    });
    const auto paces = [&](int count) {
      const auto end = loop.after(count * FolderWatch::kPace, [&] { loop.stop(); });
      loop.run();
    };
    replace("etc/passwd");
    paces(2);
    if (renewals_ != 0) {
      throw Error("renewed for what does not matter");
    }
    for (const char* name : {"etc/resolv.conf", "run/newcomer"}) {
      const int before = renewals_;
      replace(name);
      paces(20);
      if (renewals_ == before) {
        throw Error(std::string("not renewed for ") + name);
      }
    }
  }));
}

}  // namespace
}  // namespace vpnrun::service
