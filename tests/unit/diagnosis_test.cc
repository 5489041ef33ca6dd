// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using Kind = Failure::Kind;
using testing::HasSubstr;

const Failure kNobody{Kind::kPassing, "nobody answers", ""};
const Failure kDropped{Kind::kPassing, "the firewall drops the packets", "open it"};
const Failure kExpired{Kind::kPersistent, "the certificate has expired", "renew it"};

TEST(Diagnosis, WithoutSignsAnAttemptFailedForWhatItFailedFor) {
  EXPECT_EQ(Diagnosis().reason(kNobody).error, kNobody.error);
  EXPECT_EQ(Diagnosis().reason(kExpired).error, kExpired.error);
}

TEST(Diagnosis, WhatTheLinkHasFoundExplainsThatNobodyAnswers) {
  Diagnosis diagnosis;
  diagnosis.blocked(kDropped);
  EXPECT_EQ(diagnosis.reason(kNobody).error, kDropped.error);
  EXPECT_TRUE(diagnosis.covers(kNobody, false));
}

TEST(Diagnosis, WhatTheLinkHasFoundDoesNotExplainWhatAServerOrAFileSays) {
  Diagnosis diagnosis;
  diagnosis.blocked(kDropped);
  for (const Kind kind : {Kind::kChallenge, Kind::kPeer, Kind::kOutside, Kind::kPersistent,
                          Kind::kAnswer, Kind::kCredentials, Kind::kSetup}) {
    const Failure other{kind, "other", ""};
    EXPECT_EQ(diagnosis.reason(other).error, "other");
    EXPECT_FALSE(diagnosis.covers(other, false));
  }
}

TEST(Diagnosis, APortalExplainsWhatMayPassButNoQuestionOfTheServer) {
  Diagnosis diagnosis;
  diagnosis.behind(Portal{"http://login.example/"});
  EXPECT_THAT(diagnosis.reason(kNobody).error, HasSubstr("captive portal"));
  EXPECT_EQ(diagnosis.reason({Kind::kChallenge, "a code", ""}).error, "a code");
  EXPECT_EQ(diagnosis.reason({Kind::kSetup, "no such file", ""}).error, "no such file");
}

TEST(Diagnosis, WhatTheLinkHasFoundIsNearerThanAPortal) {
  Diagnosis diagnosis;
  diagnosis.behind(Portal{});
  diagnosis.blocked(kDropped);
  EXPECT_EQ(diagnosis.reason(kNobody).error, kDropped.error);
}

TEST(Diagnosis, SilenceIsExplainedByWhatTheClientHasNoticedLast) {
  Diagnosis diagnosis;
  EXPECT_EQ(diagnosis.reason_of_silence("192.0.2.1:1194/udp", false).error,
            "no answer from 192.0.2.1:1194/udp");
  diagnosis.noticed(kNobody);
  diagnosis.noticed(kExpired);
  EXPECT_EQ(diagnosis.reason_of_silence("192.0.2.1:1194/udp", false).error, kExpired.error);
}

TEST(Diagnosis, WhereALogInIsWaitedForSilenceIsThatNobodyLoggedIn) {
  Diagnosis diagnosis;
  EXPECT_TRUE(diagnosis.covers(kNobody, true));
  EXPECT_FALSE(diagnosis.covers(kExpired, true));
  EXPECT_THAT(diagnosis.reason_of_silence("x", true).error, HasSubstr("nobody logged in"));
  diagnosis.noticed(kNobody);
  EXPECT_THAT(diagnosis.reason_of_silence("x", true).error, HasSubstr("nobody logged in"));
  diagnosis.noticed(kExpired);
  EXPECT_EQ(diagnosis.reason_of_silence("x", true).error, kExpired.error);
}

}  // namespace
}  // namespace vpnrun::service
