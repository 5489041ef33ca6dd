// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using testing::HasSubstr;

TEST(Failure, TellsRefusedCredentialsFromAPassingFailure) {
  const auto refused = failure_from_output("AUTH: Received control message: AUTH_FAILED,bad");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, Failure::Kind::kCredentials);
  EXPECT_THAT(refused->hint, HasSubstr("credentials"));
  const auto passing =
      failure_from_output("read UDPv4 [ECONNREFUSED]: Connection refused (code=111)");
  ASSERT_TRUE(passing);
  EXPECT_EQ(passing->kind, Failure::Kind::kPassing);
}

TEST(Failure, TakesNoWordOfTheServerForAMistakeOfTheConfiguration) {
  const std::string line = "Unrecognized option or missing or extra parameter(s) in ";
  EXPECT_TRUE(failure_from_output("Options error: " + line + "[CMD-LINE]:1: odd (2.6.14)"));
  EXPECT_FALSE(failure_from_output("Options error: " + line + "[PUSH-OPTIONS]:1: odd (2.6.14)"));
}

TEST(Failure, TellsWhoseCertificateHasExpired) {
  const auto own = failure_from_output("WARNING: Your certificate has expired!");
  const auto theirs = failure_from_output(
      "VERIFY ERROR: depth=0, error=certificate has expired: CN=server, serial=1");
  ASSERT_TRUE(own && theirs);
  EXPECT_THAT(own->error, HasSubstr("client"));
  EXPECT_THAT(theirs->error, HasSubstr("server"));
  EXPECT_EQ(theirs->kind, Failure::Kind::kStubborn);
}

TEST(Failure, SaysNothingOfAnOrdinaryLine) {
  EXPECT_FALSE(failure_from_output("VERIFY OK: depth=1, CN=ca"));
  EXPECT_FALSE(failure_from_output("Initialization Sequence Completed"));
}

TEST(Failure, QuotesOptionsErrorsWithoutControlCharacters) {
  const auto setup = failure_from_output("Options error: Unrecognized \x1b[31moption");
  ASSERT_TRUE(setup);
  EXPECT_EQ(setup->kind, Failure::Kind::kSetup);
  EXPECT_EQ(setup->error.find('\x1b'), std::string::npos);
}

TEST(Failure, OfAStateNamesTheServer) {
  EXPECT_THAT(failure_from_state("ping-restart", "198.51.100.10:1194/udp").error,
              HasSubstr("198.51.100.10:1194/udp stopped answering"));
  EXPECT_EQ(failure_from_state("auth-failure", "x").kind, Failure::Kind::kCredentials);
}

TEST(Failure, ThatWaitingDoesNotCureExplainsMore) {
  const Failure passing{Failure::Kind::kPassing, "a", ""};
  const Failure refused{Failure::Kind::kCredentials, "b", ""};
  EXPECT_TRUE(explains_more(passing, std::nullopt));
  EXPECT_TRUE(explains_more(refused, passing));
  EXPECT_FALSE(explains_more(passing, refused));
}

}  // namespace
}  // namespace vpnrun::service
