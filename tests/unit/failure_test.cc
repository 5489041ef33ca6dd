// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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
  EXPECT_EQ(own->kind, Failure::Kind::kStubborn);
  EXPECT_EQ(theirs->kind, Failure::Kind::kPeer);
}

TEST(Failure, TakesNoCertificatesNameForAMessage) {
  for (const char* name :
       {"nobody", "Your certificate has expired", "WARNING: Your certificate has expired!",
        "AUTH: Received control message: AUTH_FAILED", "Options error: no such option",
        "Options error: x [PUSH-OPTIONS]", "x [PUSH-OPTIONS]",
        "Cannot load inline certificate file", "ERROR: Cannot open TUN/TAP dev",
        "ERROR: Cannot ioctl TUNSETIFF", "Connection refused",
        "x, error=certificate has expired: y",
        "error=certificate is not yet valid: ", "VERIFY EKU ERROR"}) {
    for (const char* start : {"CN=", "C=XX, O=", ""}) {
      const std::string subject = start + std::string(name);
      const auto stranger = failure_from_output(
          "VERIFY ERROR: depth=0, error=self-signed certificate: " + subject + ", serial=1");
      ASSERT_TRUE(stranger) << subject;
      EXPECT_EQ(stranger->kind, Failure::Kind::kPeer) << subject;
      EXPECT_THAT(stranger->error, HasSubstr("not signed by")) << subject;
      const auto odd = failure_from_output("VERIFY ERROR: " + subject);
      ASSERT_TRUE(odd) << subject;
      EXPECT_THAT(odd->error, HasSubstr("not signed by")) << subject;
      const auto other = failure_from_output("VERIFY X509NAME ERROR: " + subject + ", must be a");
      ASSERT_TRUE(other) << subject;
      EXPECT_EQ(other->kind, Failure::Kind::kPeer) << subject;
      EXPECT_THAT(other->error, HasSubstr("verify-x509-name")) << subject;
      EXPECT_FALSE(failure_from_output("VERIFY OK: depth=0, " + subject)) << subject;
    }
  }
}

TEST(Failure, OfWhoeverAnswersIsPassing) {
  for (const char* line :
       {"VERIFY ERROR: depth=1, error=certificate has expired: CN=a, serial=1",
        "VERIFY ERROR: depth=0, error=certificate is not yet valid: CN=a, serial=1",
        "VERIFY ERROR: depth=0, error=unable to get local issuer certificate: CN=a, serial=1",
        "VERIFY X509NAME ERROR: CN=a, must be b", "VERIFY EKU ERROR", "VERIFY KU ERROR",
        "TLS Error: TLS handshake failed"}) {
    const auto failure = failure_from_output(line);
    ASSERT_TRUE(failure) << line;
    EXPECT_TRUE(is_passing(*failure)) << line;
  }
  for (const char* line : {"WARNING: Your certificate has expired!",
                           "Options error: In stdin:3: odd", "Cannot load inline certificate file",
                           "ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such "
                           "file or directory (errno=2)"}) {
    const auto failure = failure_from_output(line);
    ASSERT_TRUE(failure) << line;
    EXPECT_FALSE(is_passing(*failure)) << line;
  }
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

TEST(Failure, OfAStateKeepsTheBeginningOfALongReason) {
  const Failure failure = failure_from_state(std::string(16000, 'x'), "198.51.100.1:1194/udp");
  EXPECT_THAT(failure.error, StartsWith("the connection to 198.51.100.1:1194/udp ended (xxx"));
  EXPECT_LT(failure.error.size(), 300U);
}

}  // namespace
}  // namespace vpnrun::service
