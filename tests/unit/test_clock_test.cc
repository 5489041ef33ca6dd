// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fakes/test_clock.h"

#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(TestClock, CallsWhatIsDueInTheOrderOfItsTimeAndAtItsTime) {
  TestClock clock;
  const auto start = clock.now();
  std::vector<int> calls;
  const auto late = clock.after(milliseconds(20), [&] {
    calls.push_back(2);
    EXPECT_EQ(clock.now(), start + milliseconds(20));
  });
  const auto early = clock.after(milliseconds(10), [&] { calls.push_back(1); });
  const auto next = clock.after(milliseconds(20), [&] { calls.push_back(3); });
  const auto never = clock.after(milliseconds(31), [&] { calls.push_back(4); });
  clock.advance(milliseconds(30));
  EXPECT_THAT(calls, ElementsAre(1, 2, 3));
  EXPECT_EQ(clock.now(), start + milliseconds(30));
  EXPECT_EQ(clock.pending(), 1U);
}

TEST(TestClock, DoesNotCallWhatIsTakenBack) {
  TestClock clock;
  int calls = 0;
  Timers::Handle second;
  const auto first = clock.after(milliseconds(1), [&] { second.reset(); });
  second = clock.after(milliseconds(1), [&] { ++calls; });
  clock.advance(milliseconds(1));
  EXPECT_EQ(calls, 0);
}

TEST(TestClock, CallsWhatACallbackAsksForInTheSameTime) {
  TestClock clock;
  int calls = 0;
  Timers::Handle inner;
  const auto outer = clock.after(milliseconds(10),
                                 [&] { inner = clock.after(milliseconds(10), [&] { ++calls; }); });
  clock.advance(milliseconds(19));
  EXPECT_EQ(calls, 0);
  clock.advance(milliseconds(1));
  EXPECT_EQ(calls, 1);
}

TEST(TestClock, ALoopWithoutEndIsAnError) {
  TestClock clock;
  Timers::Handle handle;
  Timers::TimerCallback again = [&] { handle = clock.after(milliseconds(0), again); };
  handle = clock.after(milliseconds(0), again);
  EXPECT_THROW(clock.turn(), std::logic_error);
}

}  // namespace
}  // namespace vpnrun::service
