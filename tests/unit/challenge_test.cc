// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/challenge.h"

#include <string>

#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/management.h"

namespace vpnrun::service::openvpn {
namespace {

TEST(StaticChallenge, HasTextAndFlags) {
  const Challenge seen = static_challenge("1,Your PIN, please");
  EXPECT_EQ(seen.kind, Challenge::Kind::kStatic);
  EXPECT_EQ(seen.text, "Your PIN, please");
  EXPECT_TRUE(seen.echo);
  EXPECT_TRUE(seen.wants_response);
  EXPECT_FALSE(seen.concatenated);
  EXPECT_FALSE(static_challenge("0,PIN").echo);
  EXPECT_TRUE(static_challenge("2,PIN").concatenated);
  EXPECT_EQ(static_challenge("").text, "");
  EXPECT_FALSE(static_challenge("x,PIN").echo);
}

TEST(DynamicChallenge, HasWhatTheAnswerNeeds) {
  const auto challenge = dynamic_challenge("CRV1:R,E:Om01u7Fh:Y3Ix:Token: PIN?");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->kind, Challenge::Kind::kDynamic);
  EXPECT_TRUE(challenge->echo);
  EXPECT_TRUE(challenge->wants_response);
  EXPECT_EQ(challenge->state_id, "Om01u7Fh");
  EXPECT_EQ(challenge->user_name, "cr1");
  EXPECT_EQ(challenge->text, "Token: PIN?");
  const auto silent = dynamic_challenge("CRV1::id:dXNlcg==:wait for it");
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->echo);
  EXPECT_FALSE(silent->wants_response);
  EXPECT_EQ(silent->user_name, "user");
}

TEST(DynamicChallenge, IsNothingElse) {
  for (const char* reason :
       {"", "CRV1:", "CRV1:R:id:Y3Ix", "CRV1:R:id:!!!!:PIN", "CRV1:R:id::PIN", "account closed",
        "CRV2:R:id:Y3Ix:PIN", "CRV1:R:id:YQpi:a line end in the name",
        "CRV1:R:id:YQBi:a NUL in the name", "CRV1:R:i\nd:Y3Ix:PIN"}) {
    EXPECT_FALSE(dynamic_challenge(reason)) << reason;
  }
}

TEST(ChallengePassword, IsPutTogetherAsTheProtocolHasIt) {
  EXPECT_EQ(password_for({}, "bar", "ignored"), "bar");
  EXPECT_EQ(password_for(static_challenge("1,PIN"), "bar", "8675309"), "SCRV1:YmFy:ODY3NTMwOQ==");
  EXPECT_EQ(password_for(static_challenge("1,PIN"), "", ""), "SCRV1::");
  EXPECT_EQ(password_for(static_challenge("3,PIN"), "bar", "8675309"), "bar8675309");
  EXPECT_EQ(password_for(*dynamic_challenge("CRV1:R:Om01:Y3Ix:PIN"), "bar", "8675309"),
            "CRV1::Om01::8675309");
}

TEST(ChallengePassword, OfMoreThanALineOfBase64IsInOnePiece) {
  const std::string password(100, 'x');
  const Secret sent = password_for(static_challenge("1,PIN"), password, "1");
  EXPECT_EQ(sent.view().find('\n'), std::string_view::npos);
  EXPECT_EQ(sent.size(), 6U + 136U + 1U + 4U);
}

TEST(ChallengePassword, ThatOpenvpnWouldNotTakeIsRefused) {
  const std::string half(130, 'x');
  EXPECT_THROW((void)password_for(static_challenge("0,PIN"), half, half), Error);
  EXPECT_THROW((void)password_for(static_challenge("2,PIN"), half, half), Error);
  EXPECT_THROW((void)password_for(static_challenge("0,PIN"), std::string(5000, 'x'), ""), Error);
  EXPECT_THROW((void)password_for(*dynamic_challenge("CRV1:R:a:Y3Ix:PIN"), "", half + half), Error);
}

}  // namespace
}  // namespace vpnrun::service::openvpn
