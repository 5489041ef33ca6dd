// SPDX-License-Identifier: GPL-2.0-or-later
// With real shells, in the namespaces of the test.
#include "systemd/service/hooks.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

class HooksTest : public testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
    std::vector<std::string> found;
    std::ifstream stream(file(name));
    for (std::string line; std::getline(stream, line);) {
      found.push_back(line);
    }
    return found;
  }
  /// Runs the loop until the file is there.
  void run_until(const std::string& name) {
    std::function<void()> look = [this, &name, &look] {
      if (std::filesystem::exists(file(name))) {
        loop_.stop();
      } else {
        again_ = loop_.after(milliseconds(5), look);
      }
    };
    again_ = loop_.after(milliseconds(0), look);  // run() forgets a stop() that came before it
    loop_.run();
  }
  [[nodiscard]] std::string say(const std::string& word) const {
    return "echo " + word + " >>" + file("said");
  }
  /// A hook that hangs, with a child that hangs, whose pid is in `name`.
  [[nodiscard]] std::string hang(const std::string& name) const {
    return "sleep 1000 >/dev/null 2>&1 & echo $! >" + file(name + ".new") + "; mv " +
           file(name + ".new") + " " + file(name) + "; wait";
  }
  /// Whether a child of a hook, a stranger to us, is gone or at its end.
  static bool is_gone(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string line;
    std::getline(stat, line);
    const auto name_end = line.rfind(')');
    return name_end == std::string::npos || line.substr(name_end + 2, 1) == "Z" ||
           line.substr(name_end + 2, 1) == "X";
  }

  test::ScratchFolder folder_;
  EventLoop loop_;
  EventLoop::Handle again_;
  PreparedNamespaces namespaces_;
};

TEST_F(HooksTest, RunsUpAndDownWithTheEnvironmentOfTheConnection) {
  ShellHooks hooks(loop_, namespaces_);
  profile::Hooks commands;
  commands.up_outside = {say("up-$VPNRUN_ENDPOINT")};
  commands.up_inside = {"touch " + file("up")};
  commands.down_outside = {say("down-$VPNRUN_ENDPOINT")};
  hooks.up(commands, {"VPNRUN_ENDPOINT=first"});
  run_until("up");
  hooks.down();
  hooks.finish(hours(1));
  EXPECT_THAT(lines("said"), ElementsAre("up-first", "down-first"));
}

TEST_F(HooksTest, AtTheEndAHookThatHangsIsKilledWithItsChildrenAndTheOthersHaveTheirTurn) {
  ShellHooks hooks(loop_, namespaces_);
  profile::Hooks commands;
  commands.up_outside = {hang("up")};
  commands.down_inside = {hang("down"), say("second")};
  commands.down_outside = {say("third")};
  hooks.up(commands, {});
  run_until("up");
  hooks.down();
  hooks.finish(milliseconds(8000));  // a quarter for each, also on a machine that is busy
  EXPECT_THAT(lines("said"), ElementsAre("second", "third"));
  for (const char* name : {"up", "down"}) {
    ASSERT_FALSE(lines(name).empty()) << name;
    // SIGKILL has been sent to the whole group; the kernel gets to it soon.
    for (int i = 0; i < 1000 && !is_gone(lines(name).front()); ++i) {
      (void)::usleep(5000);
    }
    EXPECT_TRUE(is_gone(lines(name).front())) << name;
  }
}

TEST_F(HooksTest, WhatAHookLeavesRunningDoesNotHoldUpTheEnd) {
  ShellHooks hooks(loop_, namespaces_);
  profile::Hooks commands;
  commands.up_outside = {"touch " + file("up")};
  commands.down_outside = {"sleep 1000 >/dev/null 2>&1 & echo $! >" + file("left")};
  hooks.up(commands, {});
  run_until("up");
  hooks.down();
  hooks.finish(hours(1));
  ASSERT_FALSE(lines("left").empty());
  EXPECT_FALSE(is_gone(lines("left").front())) << "it ended by itself: not ours to kill";
  ::kill(std::stoi(lines("left").front()), SIGKILL);
}

}  // namespace
}  // namespace vpnrun::service
