// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/hook_queue.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

profile::Hooks hooks() {
  profile::Hooks hooks;
  hooks.up_outside = {"uo1", "uo2"};
  hooks.up_inside = {"ui"};
  hooks.down_inside = {"di"};
  hooks.down_outside = {"do"};
  return hooks;
}

/// "COMMAND ENVIRONMENT PLACE", for what starts now.
std::string start(HookQueue& queue) {
  const auto job = queue.next();
  if (!job) {
    return "";
  }
  return job->command + (job->place == HookQueue::Place::kInside ? " inside " : " outside ") +
         job->environment.at(0);
}

std::vector<std::string> run_out(HookQueue& queue) {
  std::vector<std::string> started;
  for (std::string job = start(queue); !job.empty(); job = start(queue)) {
    started.push_back(job);
  }
  return started;
}

TEST(HookQueue, RunsAConnectionsHooksInOrder) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  EXPECT_THAT(run_out(queue), ElementsAre("uo1 outside 1", "uo2 outside 1", "ui inside 1"));
  queue.down();
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1"));
  EXPECT_EQ(queue.left(), 0U);
}

TEST(HookQueue, AnUpThatHasNotBegunAndItsDownCancelOut) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  queue.down();
  EXPECT_THAT(run_out(queue), IsEmpty());
}

TEST(HookQueue, WhileHooksRunConnectionsThatComeAndGoLeaveNothingBehind) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  EXPECT_EQ(start(queue), "uo1 outside 1");
  for (int i = 2; i < 1000; ++i) {
    queue.down();
    queue.up(hooks(), {std::to_string(i)});
    ASSERT_LE(queue.left(), 7U);
  }
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1", "uo1 outside 999",
                                          "uo2 outside 999", "ui inside 999"));
  queue.down();
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 999", "do outside 999"));
}

TEST(HookQueue, AConnectionThatEndsAmidItsUpHooksGetsAllOfItsDownHooksAndNoMoreUp) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  EXPECT_EQ(start(queue), "uo1 outside 1");
  queue.down();
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1"));
}

TEST(HookQueue, WithoutUpHooksTheDownHooksRunAllTheSame) {
  profile::Hooks only_down;
  only_down.down_outside = {"do"};
  HookQueue queue;
  queue.up(only_down, {"1"});
  EXPECT_THAT(run_out(queue), IsEmpty());
  queue.down();
  EXPECT_THAT(run_out(queue), ElementsAre("do outside 1"));
}

TEST(HookQueue, ADownWithoutAnUpRunsNothingAndTwoAreOne) {
  HookQueue queue;
  queue.down();
  EXPECT_THAT(run_out(queue), IsEmpty());
  queue.up(hooks(), {"1"});
  (void)run_out(queue);
  queue.down();
  queue.down();
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1"));
  queue.down();
  EXPECT_THAT(run_out(queue), IsEmpty());
}

TEST(HookQueue, AnUpWhileUpIsADownFirst) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  (void)run_out(queue);
  queue.up(hooks(), {"2"});
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1", "uo1 outside 2",
                                          "uo2 outside 2", "ui inside 2"));
}

TEST(HookQueue, DownHooksAreThoseThatTheConnectionCameUpWith) {
  HookQueue queue;
  queue.up(hooks(), {"1"});
  (void)run_out(queue);
  queue.down();
  profile::Hooks other;
  other.up_outside = {"other"};
  queue.up(other, {"2"});
  EXPECT_THAT(run_out(queue), ElementsAre("di inside 1", "do outside 1", "other outside 2"));
}

/// What the promises of the header say of any sequence of commands that were started.
void check_promises(const std::vector<std::string>& started, unsigned seed) {
  std::string open;  // the connection whose up hooks have begun and whose down hooks have not ended
  std::size_t step = 0;
  const std::vector<std::string> order = {"uo1 outside ", "uo2 outside ", "ui inside ",
                                          "di inside ", "do outside "};
  for (const auto& job : started) {
    const auto space = job.rfind(' ');
    const std::string connection = job.substr(space + 1);
    const std::string what = job.substr(0, space + 1);
    if (open.empty()) {
      ASSERT_EQ(what, order[0]) << "seed " << seed << ": a connection begins with its first hook";
      open = connection;
      step = 0;
    } else {
      ASSERT_EQ(connection, open) << "seed " << seed << ": no other in between";
      // The next one; or, from amid the up hooks, the first down hook.
      ASSERT_TRUE(what == order[step + 1] || (step < 2 && what == order[3]))
          << "seed " << seed << ": " << what << "after " << order[step];
      step = what == order[step + 1] ? step + 1 : 3;
    }
    if (step == 4) {
      open.clear();
    }
  }
  EXPECT_EQ(open, "") << "seed " << seed << ": a connection was left without its down hooks";
}

TEST(HookQueue, KeepsItsPromisesWhateverComes) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    HookQueue queue;
    std::vector<std::string> started;
    int connections = 0;
    bool running = false;
    const auto turn = [&] {  // as Hooks does: a command ended, or none ran
      const std::string job = start(queue);
      running = !job.empty();
      if (running) {
        started.push_back(job);
      }
    };
    for (int i = 0; i < 200; ++i) {
      switch (random() % 3) {
        case 0:
          queue.up(hooks(), {std::to_string(++connections)});
          break;
        case 1:
          queue.down();
          break;
        default:
          running = false;
          break;
      }
      if (!running) {
        turn();
      }
      ASSERT_LE(queue.left(), 10U) << "seed " << seed;
    }
    queue.down();
    do {
      turn();
    } while (running);
    check_promises(started, seed);
    ASSERT_EQ(queue.left(), 0U);
  }
}

}  // namespace
}  // namespace vpnrun::service
