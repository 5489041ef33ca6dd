// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/failure.h"

#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

TEST(Failure, ThatWaitingDoesNotCureExplainsMore) {
  const Failure passing{Failure::Kind::kPassing, "a", ""};
  const Failure refused{Failure::Kind::kCredentials, "b", ""};
  EXPECT_TRUE(explains_more(passing, std::nullopt));
  EXPECT_TRUE(explains_more(refused, passing));
  EXPECT_FALSE(explains_more(passing, refused));
}

TEST(Failure, OfAPersonsAnswerIsAsFinalAsThatOfAFileAndExplainsLess) {
  const Failure challenge{Failure::Kind::kChallenge, "a", ""};
  const Failure passing{Failure::Kind::kPassing, "b", ""};
  const Failure answer{Failure::Kind::kAnswer, "c", ""};
  const Failure file{Failure::Kind::kCredentials, "d", ""};
  EXPECT_TRUE(is_passing(challenge));
  EXPECT_TRUE(explains_more(passing, challenge));
  EXPECT_FALSE(is_passing(answer));
  EXPECT_TRUE(explains_more(answer, passing));
  EXPECT_TRUE(explains_more(file, answer));
}

TEST(Failure, OfTheServersOwnReasonsIsPassingAndExplainsMoreThanSilence) {
  const Failure passing{Failure::Kind::kPassing, "a", ""};
  const Failure peer{Failure::Kind::kPeer, "b", ""};
  const Failure outside{Failure::Kind::kOutside, "c", ""};
  const Failure persistent{Failure::Kind::kPersistent, "d", ""};
  EXPECT_TRUE(is_passing(outside));
  EXPECT_TRUE(explains_more(outside, passing) && explains_more(outside, peer));
  EXPECT_TRUE(explains_more(persistent, outside));
  EXPECT_FALSE(is_passing(persistent));
}

}  // namespace
}  // namespace vpnrun::service
