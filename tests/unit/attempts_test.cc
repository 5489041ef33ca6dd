// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/attempts.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;

/// A clock that goes on only when it is told to.
class AttemptsTest : public testing::Test {
 protected:
  /// One attempt that connects, and the end of the connection after `life`. The pause after it.
  milliseconds connection(milliseconds life) {
    attempts_.begin(now_);
    attempts_.connected(now_);
    now_ += life;
    return pass(attempts_.ended(now_));
  }
  milliseconds failure() {
    attempts_.begin(now_);
    return pass(attempts_.ended(now_));
  }
  milliseconds pass(milliseconds pause) {
    now_ += pause;
    return pause;
  }

  Attempts attempts_;
  Attempts::Clock::time_point now_{seconds(1000)};
};

TEST_F(AttemptsTest, PausesDoubleUpToTheLastOne) {
  std::vector<milliseconds::rep> pauses;
  pauses.reserve(11);
  for (int i = 0; i < 11; ++i) {
    pauses.push_back(failure().count());
  }
  EXPECT_THAT(pauses,
              ElementsAre(200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000));
}

TEST_F(AttemptsTest, PausesStayAtTheLastOneForEver) {
  for (int i = 0; i < 100'000; ++i) {
    (void)failure();
  }
  EXPECT_EQ(failure(), Attempts::kLastRetry);
}

TEST_F(AttemptsTest, AConnectionThatIsThrownOutAtOnceIsAFailureLikeAnyOther) {
  std::vector<milliseconds::rep> pauses;
  pauses.reserve(11);
  for (int i = 0; i < 11; ++i) {
    pauses.push_back(connection(milliseconds(50)).count());
  }
  EXPECT_THAT(pauses,
              ElementsAre(200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000));
}

TEST_F(AttemptsTest, AConnectionThatStayedEndsTheBackOff) {
  for (int i = 0; i < 8; ++i) {
    (void)failure();
  }
  EXPECT_GT(connection(Attempts::kSettled - milliseconds(1)), seconds(30));
  EXPECT_EQ(connection(Attempts::kSettled), Attempts::kFirstRetry);
  EXPECT_EQ(connection(Attempts::kSettled), Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, TheTimeBetweenConnectionsIsNoLife) {
  (void)failure();
  attempts_.begin(now_);
  attempts_.connected(now_);
  (void)attempts_.ended(now_);
  now_ += seconds(3600);  // a person takes an hour to answer
  EXPECT_EQ(attempts_.ended(now_), milliseconds(800));
}

TEST_F(AttemptsTest, WhatIsForgottenBeginsAnew) {
  for (int i = 0; i < 8; ++i) {
    (void)failure();
  }
  attempts_.forget();
  EXPECT_EQ(failure(), Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, WhoAsksOnceWaitsForNothingAndWhoAsksTimeAndAgainWaitsASecond) {
  EXPECT_EQ(attempts_.asked(now_), milliseconds(0));
  attempts_.begin(now_);
  std::vector<milliseconds::rep> distances;
  for (int i = 0; i < 100; ++i) {
    const auto before = now_;
    now_ += milliseconds(i % 3);  // the order comes, and is not the first
    (void)pass(attempts_.asked(now_));
    attempts_.forget();
    attempts_.begin(now_);
    distances.push_back(std::chrono::duration_cast<milliseconds>(now_ - before).count());
  }
  EXPECT_THAT(distances, Each(Ge(Attempts::kAsked.count())));
  now_ += Attempts::kAsked;
  EXPECT_EQ(attempts_.asked(now_), milliseconds(0));
}

/// The law that the header states: it fits the worst server, and no other gets more.
TEST_F(AttemptsTest, NoServerGetsMoreConnectionsThanTheLawSays) {
  const auto allowed = [this](Attempts::Clock::time_point start) {
    return 11 + static_cast<int>(std::chrono::duration<double>(now_ - start).count() / 3.24);
  };
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> percent(0, 99);
    const int settles = static_cast<int>(seed % 100);
    attempts_ = Attempts();
    const auto start = now_;
    for (int count = 1; count < 300; ++count) {
      (void)connection(percent(random) < settles ? Attempts::kSettled : milliseconds(0));
      ASSERT_LE(count, allowed(start)) << "seed " << seed;
    }
  }
  attempts_ = Attempts();
  const auto start = now_;
  int count = 1;
  for (; count <= 1000; ++count) {
    (void)connection(count % 5 == 0 ? Attempts::kSettled : milliseconds(0));
  }
  EXPECT_LE(count - 1, allowed(start));
  EXPECT_GE(count - 1, allowed(start) - 12) << "the law says more than it has to";
}

}  // namespace
}  // namespace vpnrun::service
