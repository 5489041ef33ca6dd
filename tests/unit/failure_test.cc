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
  const Failure stubborn{Failure::Kind::kStubborn, "d", ""};
  EXPECT_TRUE(is_passing(outside));
  EXPECT_TRUE(explains_more(outside, passing) && explains_more(outside, peer));
  EXPECT_TRUE(explains_more(stubborn, outside));
  EXPECT_FALSE(is_passing(stubborn));
}

TEST(Failure, AWebServerInThePlaceOfTheServerIsAPortal) {
  const auto web = failure_from_output(
      "WARNING: Bad encapsulated packet length from peer (18516), which must be > 0 and <= 1768 -- "
      "please ensure that --tun-mtu or --link-mtu is equal on both peers");
  ASSERT_TRUE(web);
  EXPECT_EQ(web->kind, Failure::Kind::kPeer);
  EXPECT_EQ(web->error, "what answers there is a web server, not the VPN server");
  EXPECT_NE(web->hint.find("captive portal"), std::string::npos);
  EXPECT_TRUE(failure_from_output(
      "WARNING: Bad encapsulated packet length from peer (5379), which must be > 0"));
  EXPECT_FALSE(failure_from_output(
      "WARNING: Bad encapsulated packet length from peer (4242), which must be > 0"));
}

}  // namespace
}  // namespace vpnrun::service
