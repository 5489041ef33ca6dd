// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using Kind = Failure::Kind;
using testing::HasSubstr;

Failure nobody() {
  return {Kind::kPassing, "nobody answers", ""};
}
Failure dropped() {
  return {Kind::kPassing, "the firewall drops the packets", "open it"};
}
Failure expired() {
  return {Kind::kPersistent, "the certificate has expired", "renew it"};
}

TEST(Diagnosis, WithoutSignsAnAttemptFailedForWhatItFailedFor) {
  EXPECT_EQ(Diagnosis().reason(nobody()).error, nobody().error);
  EXPECT_EQ(Diagnosis().reason(expired()).error, expired().error);
}

TEST(Diagnosis, WhatTheLinkHasFoundExplainsThatNobodyAnswers) {
  Diagnosis diagnosis;
  diagnosis.blocked(dropped());
  EXPECT_EQ(diagnosis.reason(nobody()).error, dropped().error);
  EXPECT_TRUE(diagnosis.covers(nobody(), false));
}

TEST(Diagnosis, WhatTheLinkHasFoundDoesNotExplainWhatAServerOrAFileSays) {
  Diagnosis diagnosis;
  diagnosis.blocked(dropped());
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
  EXPECT_THAT(diagnosis.reason(nobody()).error, HasSubstr("captive portal"));
  EXPECT_EQ(diagnosis.reason({Kind::kChallenge, "a code", ""}).error, "a code");
  EXPECT_EQ(diagnosis.reason({Kind::kSetup, "no such file", ""}).error, "no such file");
}

TEST(Diagnosis, WhatTheLinkHasFoundIsNearerThanAPortal) {
  Diagnosis diagnosis;
  diagnosis.behind(Portal{});
  diagnosis.blocked(dropped());
  EXPECT_EQ(diagnosis.reason(nobody()).error, dropped().error);
}

TEST(Diagnosis, SilenceIsExplainedByWhatTheClientHasNoticedLast) {
  Diagnosis diagnosis;
  EXPECT_EQ(diagnosis.reason_of_silence("192.0.2.1:1194/udp", false).error,
            "no answer from 192.0.2.1:1194/udp");
  diagnosis.noticed(nobody());
  diagnosis.noticed(expired());
  EXPECT_EQ(diagnosis.reason_of_silence("192.0.2.1:1194/udp", false).error, expired().error);
}

TEST(Diagnosis, WhereALogInIsWaitedForSilenceIsThatNobodyLoggedIn) {
  Diagnosis diagnosis;
  EXPECT_TRUE(diagnosis.covers(nobody(), true));
  EXPECT_FALSE(diagnosis.covers(expired(), true));
  EXPECT_THAT(diagnosis.reason_of_silence("x", true).error, HasSubstr("nobody logged in"));
  diagnosis.noticed(nobody());
  EXPECT_THAT(diagnosis.reason_of_silence("x", true).error, HasSubstr("nobody logged in"));
  diagnosis.noticed(expired());
  EXPECT_EQ(diagnosis.reason_of_silence("x", true).error, expired().error);
}

}  // namespace
}  // namespace vpnrun::service
