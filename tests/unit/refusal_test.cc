// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/refusal.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service::openvpn {
namespace {

using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = Failure::Kind;

Failure refused(std::string_view reason, bool has_login = true) {
  return failure_of(read_refusal(reason), has_login);
}

TEST(Refusal, WithoutWordsIsOneOfTheLogin) {
  const Failure failure = refused("");
  EXPECT_EQ(failure.kind, Kind::kCredentials);
  EXPECT_EQ(failure.error, "the server refuses the user name or password");
  EXPECT_THAT(failure.hint, HasSubstr("credentials"));
}

TEST(Refusal, OfAClientWithoutALoginSendsNobodyToLookForAPassword) {
  for (const char* words : {"", "wrong password", "no", "Data channel cipher negotiation failed"}) {
    const Failure failure = refused(words, false);
    EXPECT_EQ(failure.kind, Kind::kOutside) << words;
    EXPECT_THAT(failure.hint, Not(HasSubstr("password"))) << words;
    EXPECT_THAT(failure.hint, Not(HasSubstr("credentials"))) << words;
  }
  EXPECT_EQ(refused("", false).error, "the server refuses this client");
}

TEST(Refusal, KeepsTheServersWords) {
  EXPECT_EQ(refused("Account expired: renew it").error,
            "the server refuses this client: Account expired: renew it");
  EXPECT_EQ(refused("[TOO_MANY] in use on all devices").error,
            "the server refuses this client: [TOO_MANY] in use on all devices");
  EXPECT_EQ(refused("Wrong password, sorry").error,
            "the server refuses the user name or password: Wrong password, sorry");
}

TEST(Refusal, IsFinalOnlyIfAPersonHasToChangeThePassword) {
  constexpr const char* kLockedOut =
      "LOCKOUT: user temporarily locked out due to multiple authentication failures";
  for (const char* words :
       {"Account expired: renew it", "[TOO_MANY] this subscription is in use on all devices",
        "maintenance until 10:00", kLockedOut,
        "SESSION: Your session has expired, please reauthenticate",
        "Data channel cipher negotiation failed (no shared cipher)", "Too many passwords today",
        "TEMP:wrong password server is down", "go away"}) {
    EXPECT_EQ(refused(words).kind, Kind::kOutside) << words;
  }
  for (const char* words : {"Wrong password", "your password has expired", "bad USERNAME",
                            "invalid credentials", "Authentication failed", "Login incorrect"}) {
    EXPECT_EQ(refused(words).kind, Kind::kCredentials) << words;
  }
}

TEST(Refusal, NamesTheCiphers) {
  const Failure failure = refused("Data channel cipher negotiation failed (no shared cipher)");
  EXPECT_THAT(failure.error, StartsWith("server and configuration have no data cipher in common"));
  EXPECT_THAT(failure.error,
              EndsWith(": Data channel cipher negotiation failed (no shared cipher)"));
  EXPECT_THAT(failure.hint, HasSubstr("data-ciphers"));
}

TEST(Refusal, ForNowHasFlagsAndWords) {
  const Refusal refusal = read_refusal("TEMP[backoff 42,advance no]:come back later");
  EXPECT_TRUE(refusal.is_temporary);
  EXPECT_EQ(refusal.backoff, seconds(42));
  EXPECT_EQ(refusal.advance, Refusal::Advance::kStay);
  EXPECT_EQ(refusal.words, "come back later");
  const Failure failure = failure_of(refusal, true);
  EXPECT_EQ(failure.error, "the server refuses for now: come back later");
  EXPECT_EQ(failure.retry_after, seconds(42));
}

TEST(Refusal, ForNowMayHaveNoneOfThem) {
  EXPECT_EQ(refused("TEMP").error, "the server refuses for now");
  EXPECT_EQ(read_refusal("TEMP:x").words, "x");
  EXPECT_EQ(read_refusal("TEMP[]").words, "");
  EXPECT_EQ(read_refusal("TEMP[backoff 5").backoff, seconds(0)) << "not closed";
  EXPECT_EQ(read_refusal("TEMP[advance addr]:x").advance, Refusal::Advance::kNext);
  EXPECT_EQ(read_refusal("TEMP[advance remote]").advance, Refusal::Advance::kNext);
  EXPECT_EQ(read_refusal("TEMP[sing]:x").advance, Refusal::Advance::kUnsaid);
}

TEST(Refusal, AsksForNoWaitThatIsNoNumberOrTooLong) {
  EXPECT_EQ(read_refusal("TEMP[backoff -1]:x").backoff, seconds(0));
  EXPECT_EQ(read_refusal("TEMP[backoff 1x]:x").backoff, seconds(0));
  EXPECT_EQ(read_refusal("TEMP[backoff 99999999999999]:x").backoff, seconds(0));
  EXPECT_EQ(read_refusal("TEMP[backoff 4294967295]:x").backoff, kBackoffMax);
}

TEST(Refusal, ShowsNoControlCharactersAndNoNovel) {
  EXPECT_EQ(read_refusal("a\x1b[31m\nb").words.find_first_of("\x1b\n"), std::string::npos);
  EXPECT_LE(read_refusal(std::string(5000, 'x')).words.size(), 200U);
  EXPECT_LE(read_refusal(std::string(5000, '\xC3')).words.size(), 800U);
}

}  // namespace
}  // namespace vpnrun::service::openvpn
