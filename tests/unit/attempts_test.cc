// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/attempts.h"

#include <optional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using Kind = Failure::Kind;
using Next = Attempts::Next;

constexpr milliseconds kAtOnce{0};

/// A clock that goes on only when it is told to.
class AttemptsTest : public testing::Test {
 protected:
  /// One attempt that connects, and the end of the connection after `life`. The pause after it.
  milliseconds connection(milliseconds life) {
    attempts_.begin(now_);
    (void)attempts_.connected(now_);
    now_ += life;
    return pass(ended(Kind::kPassing).retry.value_or(hours(1)));
  }
  milliseconds failure() {
    attempts_.begin(now_);
    return pass(ended(Kind::kPassing).retry.value_or(hours(1)));
  }
  milliseconds pass(milliseconds pause) {
    now_ += pause;
    return pause;
  }
  Next ended(Kind kind) { return attempts_.ended({kind, "why", ""}, now_); }
  void starting() {
    (void)attempts_.up(now_);
    attempts_.begin(now_);
  }
  void up() {
    starting();
    (void)attempts_.connected(now_);
  }

  Attempts attempts_;
  Attempts::Clock::time_point now_{seconds(1000)};
};

// --- states ---

TEST_F(AttemptsTest, AreDownAtFirst) {
  EXPECT_EQ(attempts_.state(), State::kDown);
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
}

TEST_F(AttemptsTest, BeginAtOnceWhenOrdered) {
  EXPECT_EQ(attempts_.up(now_), (Next{State::kStarting, kAtOnce, false}));
  EXPECT_EQ(attempts_.state(), State::kStarting);
}

TEST_F(AttemptsTest, AreUpOnceConnectedWithNothingPlanned) {
  starting();
  EXPECT_EQ(attempts_.connected(now_), (Next{State::kUp, std::nullopt, false}));
}

TEST_F(AttemptsTest, StayStartingUntilTheFirstConnection) {
  starting();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ended(Kind::kPassing).state, State::kStarting);
    attempts_.begin(now_);
  }
}

TEST_F(AttemptsTest, AreReconnectingAfterALoss) {
  up();
  EXPECT_EQ(ended(Kind::kPassing).state, State::kReconnecting);
  attempts_.begin(now_);
  EXPECT_EQ(ended(Kind::kPassing).state, State::kReconnecting);
}

TEST_F(AttemptsTest, AreStartingAgainAfterDownAndUp) {
  up();
  (void)attempts_.down();
  EXPECT_EQ(attempts_.up(now_ + seconds(5))->state, State::kStarting);
}

TEST_F(AttemptsTest, DownPlansNothing) {
  up();
  (void)ended(Kind::kPassing);
  EXPECT_EQ(attempts_.down(), (Next{State::kDown, std::nullopt, false}));
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
}

TEST_F(AttemptsTest, AnOrderWhileAnAttemptIsUnderWayChangesNothing) {
  starting();
  EXPECT_EQ(attempts_.up(now_), std::nullopt);
}

TEST_F(AttemptsTest, AnOrderWhileUpChangesNothing) {
  up();
  EXPECT_EQ(attempts_.up(now_), std::nullopt);
  EXPECT_EQ(attempts_.state(), State::kUp);
}

TEST_F(AttemptsTest, AnOrderDuringAPauseBeginsAndKeepsTheState) {
  up();
  (void)ended(Kind::kPassing);
  now_ += seconds(5);
  EXPECT_EQ(attempts_.up(now_), (Next{State::kReconnecting, kAtOnce, false}));
}

TEST_F(AttemptsTest, AnOrderDuringAPauseDoesNotForgetWhatFailed) {
  starting();
  for (int i = 0; i < 5; ++i) {
    (void)ended(Kind::kPassing);
    attempts_.begin(now_);
  }
  (void)ended(Kind::kPassing);
  now_ += seconds(5);
  (void)attempts_.up(now_);
  attempts_.begin(now_);
  EXPECT_EQ(ended(Kind::kPassing).retry, milliseconds(12'800));
}

// --- failures for good ---

TEST_F(AttemptsTest, ASetupThatCannotWorkIsFinalAndEndsTheProcess) {
  starting();
  EXPECT_EQ(ended(Kind::kSetup), (Next{State::kFailed, std::nullopt, true}));
}

TEST_F(AttemptsTest, StoredCredentialsThatAreRefusedAreFinalAndEndTheProcess) {
  starting();
  EXPECT_EQ(ended(Kind::kCredentials), (Next{State::kFailed, std::nullopt, true}));
}

TEST_F(AttemptsTest, ATypedAnswerThatIsRefusedLeavesTheProcessForTheNextOrder) {
  starting();
  EXPECT_EQ(ended(Kind::kAnswer), (Next{State::kFailed, std::nullopt, false}));
}

TEST_F(AttemptsTest, APersistentFailureIsTriedMuchLaterAndEndsNoProcess) {
  starting();
  EXPECT_EQ(ended(Kind::kPersistent), (Next{State::kFailed, Attempts::kLastRetry, false}));
}

TEST_F(AttemptsTest, WhateverMayPassEndsNoProcessHoweverOftenItHappens) {
  for (const Kind kind :
       {Kind::kChallenge, Kind::kPassing, Kind::kPeer, Kind::kOutside, Kind::kPersistent}) {
    starting();
    for (int i = 0; i < 30; ++i) {
      const Next next = ended(kind);
      EXPECT_FALSE(next.ends_process);
      EXPECT_TRUE(next.retry);
      now_ += next.retry.value_or(hours(1));
      attempts_.begin(now_);
    }
    (void)attempts_.down();
  }
}

TEST_F(AttemptsTest, AServersOwnReasonsAreWaitedForWithGrowingPauses) {
  starting();
  EXPECT_EQ(ended(Kind::kOutside), (Next{State::kStarting, Attempts::kFirstRetry, false}));
  attempts_.begin(now_);
  EXPECT_EQ(ended(Kind::kOutside).retry, 2 * Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, AServerGetsThePauseThatItAsksForWithinLimits) {
  Failure busy{Kind::kOutside, "why", ""};
  for (const auto& [asked, pause] :
       std::vector<std::pair<seconds, milliseconds>>{{seconds(42), seconds(42)},
                                                     {seconds(0), milliseconds(400)},
                                                     {hours(24), Attempts::kLastAskedFor}}) {
    starting();
    busy.retry_after = asked;
    EXPECT_EQ(attempts_.ended(busy, now_).retry, pause);
    now_ += seconds(5);
  }
}

TEST_F(AttemptsTest, WhatAPersonIsAboutToCureIsTriedWithinSeconds) {
  Failure portal{Kind::kPassing, "why", ""};
  portal.retry_within = seconds(10);
  starting();
  EXPECT_EQ(attempts_.ended(portal, now_).retry, Attempts::kFirstRetry) << "the first come sooner";
  for (int i = 0; i < 20; ++i) {
    attempts_.begin(now_);
    pass(attempts_.ended(portal, now_).retry.value_or(hours(1)));
  }
  attempts_.begin(now_);
  EXPECT_EQ(attempts_.ended(portal, now_).retry, seconds(10));
  attempts_.begin(now_);
  EXPECT_EQ(ended(Kind::kPassing).retry, Attempts::kLastRetry) << "any other failure after it";
}

TEST_F(AttemptsTest, WhatNoServerHasHeardOfIsNoneOfItsFailures) {
  Failure own{Kind::kPassing, "the disk is full", ""};
  own.is_own = true;
  starting();
  for (int i = 0; i < 20; ++i) {
    attempts_.begin(now_);
    pass(attempts_.ended(own, now_).retry.value_or(hours(1)));
  }
  attempts_.begin(now_);
  EXPECT_EQ(attempts_.ended(own, now_).retry, Attempts::kLastOwn);
  attempts_.begin(now_);
  EXPECT_EQ(ended(Kind::kPassing).retry, Attempts::kFirstRetry)
      << "the first that a server hears of";
  attempts_.forget();
  EXPECT_EQ(attempts_.ended(own, now_).retry, Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, AnOrderDoesNotWaitForWhatAServerAsksFor) {
  starting();
  Failure busy{Kind::kOutside, "why", ""};
  busy.retry_after = seconds(300);
  (void)attempts_.ended(busy, now_);
  now_ += seconds(5);
  EXPECT_EQ(attempts_.up(now_)->retry, kAtOnce);
}

TEST_F(AttemptsTest, WhoIsNotTheServerMayBeTheServerTheNextTime) {
  starting();
  EXPECT_EQ(ended(Kind::kPeer), (Next{State::kStarting, Attempts::kFirstRetry, false}));
}

TEST_F(AttemptsTest, AProcessThatOnceWasUpIsNotEndedByAnyFailure) {
  for (const Kind kind : {Kind::kSetup, Kind::kCredentials, Kind::kPersistent, Kind::kAnswer}) {
    up();
    EXPECT_FALSE(ended(kind).ends_process);
    EXPECT_EQ(attempts_.state(), State::kFailed);
    now_ += seconds(5);
  }
}

TEST_F(AttemptsTest, AProcessThatWasUpBeforeItWasTakenDownIsNotEndedEither) {
  up();
  (void)attempts_.down();
  now_ += seconds(5);
  starting();
  EXPECT_FALSE(ended(Kind::kSetup).ends_process);
}

TEST_F(AttemptsTest, AFailureForGoodIsNotHurried) {
  starting();
  (void)ended(Kind::kSetup);
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
}

TEST_F(AttemptsTest, APersistentFailureIsRetriedSoonAtNewsOfTheHost) {
  up();
  (void)ended(Kind::kPersistent);
  now_ += seconds(5);
  EXPECT_EQ(attempts_.retry_soon(now_), (Next{State::kFailed, Attempts::kFirstRetry, false}));
}

TEST_F(AttemptsTest, APersistentFailureStaysFailedWhileItIsTriedAgain) {
  up();
  (void)ended(Kind::kPersistent);
  attempts_.begin(now_);
  EXPECT_EQ(attempts_.state(), State::kFailed);
  EXPECT_EQ(ended(Kind::kPassing).state, State::kFailed);
  attempts_.begin(now_);
  EXPECT_EQ(attempts_.connected(now_).state, State::kUp);
}

TEST_F(AttemptsTest, AnOrderAfterAFailureForGoodStartsAnew) {
  starting();
  (void)ended(Kind::kSetup);
  now_ += seconds(5);
  EXPECT_EQ(attempts_.up(now_), (Next{State::kStarting, kAtOnce, false}));
}

TEST_F(AttemptsTest, WhatCannotBeBuiltIsFailedUntilTheNextOrder) {
  up();
  EXPECT_EQ(attempts_.unusable(), (Next{State::kFailed, std::nullopt, false}));
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
  now_ += seconds(5);
  EXPECT_EQ(attempts_.up(now_)->state, State::kStarting);
}

TEST_F(AttemptsTest, WhatCannotBeBuiltIsNoConnectionThatStayed) {
  for (int i = 0; i < 5; ++i) {
    (void)failure();
  }
  (void)attempts_.connected(now_);
  now_ += hours(1);
  (void)attempts_.unusable();
  EXPECT_EQ(failure(), milliseconds(6'400));
}

// --- pauses ---

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
  (void)attempts_.connected(now_);
  (void)ended(Kind::kPassing);
  now_ += seconds(3600);  // a person takes an hour to answer
  EXPECT_EQ(ended(Kind::kPassing).retry, milliseconds(800));
}

TEST_F(AttemptsTest, TheTimeOfAnEarlierConnectionIsNotTheNextOnes) {
  (void)connection(hours(1));
  (void)failure();
  now_ += hours(1);
  EXPECT_EQ(failure(), milliseconds(800));
}

TEST_F(AttemptsTest, WhatIsForgottenBeginsAnew) {
  for (int i = 0; i < 8; ++i) {
    (void)failure();
  }
  attempts_.forget();
  EXPECT_EQ(failure(), Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, DownAndUpBeginAnew) {
  starting();
  for (int i = 0; i < 8; ++i) {
    (void)failure();
  }
  (void)attempts_.down();
  (void)attempts_.up(now_);
  EXPECT_EQ(failure(), Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, AHostThatIsBackEndsTheBackOff) {
  starting();
  for (int i = 0; i < 9; ++i) {
    (void)failure();
  }
  (void)ended(Kind::kPassing);
  EXPECT_EQ(attempts_.retry_soon(now_)->retry, Attempts::kFirstRetry);
  EXPECT_EQ(failure(), Attempts::kFirstRetry);
}

TEST_F(AttemptsTest, AHostThatIsBackDisturbsNoAttempt) {
  starting();
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
}

TEST_F(AttemptsTest, AHostThatIsBackDisturbsNoConnection) {
  up();
  EXPECT_EQ(attempts_.retry_soon(now_), std::nullopt);
  EXPECT_EQ(attempts_.state(), State::kUp);
}

TEST_F(AttemptsTest, AServerThatWantsToKnowMoreIsAskedAtOnceAndHasNotFailed) {
  starting();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ended(Kind::kChallenge), (Next{State::kStarting, Attempts::kFirstRetry, false}));
    attempts_.begin(now_);
  }
  EXPECT_EQ(ended(Kind::kPassing).retry, Attempts::kFirstRetry);
}

// --- how often ---

TEST_F(AttemptsTest, WhoAsksOnceWaitsForNothingAndWhoAsksTimeAndAgainWaitsASecond) {
  (void)attempts_.up(now_);
  attempts_.begin(now_);
  std::vector<milliseconds::rep> distances;
  for (int i = 0; i < 100; ++i) {
    const auto before = now_;
    now_ += milliseconds(i % 3);
    (void)attempts_.down();
    now_ += attempts_.up(now_)->retry.value_or(hours(1));
    attempts_.begin(now_);
    distances.push_back(std::chrono::duration_cast<milliseconds>(now_ - before).count());
  }
  EXPECT_THAT(distances, Each(Ge(Attempts::kAsked.count())));
  (void)attempts_.down();
  now_ += Attempts::kAsked;
  EXPECT_EQ(attempts_.up(now_)->retry, kAtOnce);
}

TEST_F(AttemptsTest, NewsOfTheHostBeginNoMoreThanOneAttemptASecond) {
  starting();
  for (int i = 0; i < 50; ++i) {
    const auto before = now_;
    (void)ended(Kind::kPassing);
    now_ += attempts_.retry_soon(now_)->retry.value_or(hours(1));
    attempts_.begin(now_);
    EXPECT_GE(now_ - before, Attempts::kAsked);
  }
}

TEST_F(AttemptsTest, WhoAsksWaitsForTheRestOfTheSecond) {
  starting();
  (void)ended(Kind::kPassing);
  now_ += milliseconds(300);
  EXPECT_EQ(attempts_.up(now_)->retry, milliseconds(700));
}

TEST_F(AttemptsTest, ARestOfAMillisecondIsAWholeOne) {
  starting();
  (void)ended(Kind::kPassing);
  now_ += std::chrono::microseconds(999'500);
  EXPECT_EQ(attempts_.up(now_)->retry, milliseconds(1));
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
