// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/failed_runs.h"

#include <fcntl.h>

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using std::chrono::seconds;

TEST(FailedRuns, TheFirstAreStartedAgainAtOnceTheOthersAfterAGrowingPause) {
  FailedRuns runs;
  seconds now{1000};
  std::vector<seconds> pauses;
  for (int i = 0; i < 9; ++i) {
    runs = runs.and_one(now);
    pauses.push_back(runs.pause(now + seconds(2)) + seconds(2));
    now += seconds(40);
  }
  EXPECT_EQ(runs.in_a_row, 9U);
  const std::vector<seconds> wanted{seconds(2),  seconds(2),  seconds(2),  seconds(2), seconds(5),
                                    seconds(10), seconds(20), seconds(30), seconds(30)};
  EXPECT_EQ(pauses, wanted);
}

TEST(FailedRuns, NobodyWaitsForLongerThanTheLastPauseHoweverManyFailed) {
  const FailedRuns many{.in_a_row = std::numeric_limits<unsigned>::max(), .last = seconds(7)};
  EXPECT_EQ(many.pause(seconds(7)), FailedRuns::kLastPause);
  EXPECT_EQ(many.and_one(seconds(8)).in_a_row, many.in_a_row);
}

TEST(FailedRuns, WhatIsLongPastDoesNotCount) {
  const FailedRuns runs{.in_a_row = 8, .last = seconds(100)};
  EXPECT_EQ(runs.pause(seconds(100) + FailedRuns::kForgotten), seconds(0));
  EXPECT_EQ(runs.and_one(seconds(100) + FailedRuns::kForgotten).in_a_row, 1U);
}

TEST(FailedRuns, ATimeBeforeTheLastFailureIsOfAnotherBoot) {
  const FailedRuns runs{.in_a_row = 8, .last = seconds(100)};
  EXPECT_EQ(runs.pause(seconds(99)), seconds(0));
}

TEST(FailedRuns, AreReadAsTheyWereWritten) {
  const FailedRuns runs{.in_a_row = 8, .last = seconds(100)};
  EXPECT_EQ(failed_runs_from(to_text(runs)), runs);
  for (const char* text : {"", "8", "8 ", "8 100", "8 x\n", "-1 5\n", "8 100\nx", "8100\n"}) {
    EXPECT_EQ(failed_runs_from(text), FailedRuns()) << text;
  }
}

TEST(FailedRuns, AreKeptInTheProfilesDirectory) {
  const test::ScratchFolder folder;
  const UniqueFd directory(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(failed_runs_in(directory.get()), FailedRuns());
  const FailedRuns runs{.in_a_row = 3, .last = seconds(100)};
  remember_failed_runs(directory.get(), runs);
  EXPECT_EQ(failed_runs_in(directory.get()), runs);
  forget_failed_runs(directory.get());
  EXPECT_EQ(failed_runs_in(directory.get()), FailedRuns());
}

}  // namespace
}  // namespace vpnrun::service
