// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/login.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using openvpn::static_challenge;
using testing::HasSubstr;
using Verdict = Login::Verdict;

CredentialFiles no_files() {
  return {"work", "", "", {}};
}
openvpn::Challenge no_challenge() {
  return {};
}

ControlRequest typed(const std::string& user_name, const std::string& password,
                     const std::string& response = "") {
  ControlRequest request;
  request.command = Command::kAnswer;
  request.user_name = Secret(user_name);
  request.password = Secret(password);
  request.response = Secret(response);
  return request;
}

TEST(Login, AsksForAllThatNoFileHas) {
  Login login;
  const auto question = login.need(no_files(), "Auth", true, static_challenge("1,PIN\x1b?"));
  ASSERT_TRUE(question);
  EXPECT_TRUE(question->wants_user_name && question->wants_password && question->wants_response);
  EXPECT_TRUE(question->echo);
  EXPECT_EQ(question->challenge, "PIN??");
  EXPECT_EQ(question->text, "user name, password and one-time password for 'work'");
  const ControlRequest request = typed("foo", "bar", "8675309");
  const auto answer = login.answer(&request);
  EXPECT_EQ(answer.realm, "Auth");
  EXPECT_EQ(answer.user_name, "foo");
  EXPECT_EQ(answer.password, "SCRV1:YmFy:ODY3NTMwOQ==");
}

TEST(Login, WithoutAChallengeIsAsItAlwaysWas) {
  Login login;
  const auto question = login.need(no_files(), "Auth", true, no_challenge());
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->wants_response);
  const ControlRequest nameless = typed("", "bar");
  EXPECT_THROW((void)login.answer(&nameless), Error);
  const ControlRequest request = typed("foo", "bar");
  EXPECT_EQ(login.answer(&request).password, "bar");
  EXPECT_FALSE(login.is_used_up());
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kRefused);
  EXPECT_EQ(login.verdict(), Verdict::kNone);
}

TEST(Login, AnswersTheServersChallengeInPlaceOfThePassword) {
  Login login;
  ASSERT_TRUE(login.need(no_files(), "Auth", true, no_challenge()));
  const ControlRequest first = typed("foo", "bar");
  (void)login.answer(&first);
  login.rejected("Auth", "CRV1:R:id:Y3Ix:Token?");
  EXPECT_EQ(login.verdict(), Verdict::kAskAgain);
  EXPECT_TRUE(login.has_challenge());
  login.client_gone();
  const auto question = login.need(no_files(), "Auth", true, no_challenge());
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->wants_user_name || question->wants_password || question->echo);
  EXPECT_EQ(question->challenge, "Token?");
  const ControlRequest second = typed("", "", "123");
  const auto answer = login.answer(&second);
  EXPECT_EQ(answer.user_name, "cr1");
  EXPECT_EQ(answer.password, "CRV1::id::123");
  EXPECT_TRUE(login.is_used_up());
}

TEST(Login, AChallengeWithoutAResponseAsksNobodyAndHasAnEnd) {
  Login login;
  ASSERT_TRUE(login.need(no_files(), "Auth", true, no_challenge()));
  const ControlRequest first = typed("foo", "bar");
  (void)login.answer(&first);
  unsigned rounds = 0;
  for (login.rejected("Auth", "CRV1::id:Y3Ix:hm"); login.verdict() == Verdict::kAskAgain;
       login.rejected("Auth", "CRV1::id:Y3Ix:hm")) {
    EXPECT_FALSE(login.need(no_files(), "Auth", true, no_challenge()));
    EXPECT_EQ(login.answer(nullptr).password, "CRV1::id::");
    ASSERT_LE(++rounds, Login::kRoundsMax);
  }
  EXPECT_EQ(rounds, Login::kRoundsMax);
}

TEST(Login, ChallengesThatNobodyIsAskedForHaveAnEnd) {
  Login login;
  unsigned rounds = 0;
  for (; rounds <= Login::kRoundsMax; ++rounds) {
    // A client without user name and password, or one that its server has taken over.
    login.rejected("Auth", "CRV1:R:id:Y3Ix:Token?");
    if (login.verdict() != Verdict::kAskAgain) {
      break;
    }
    login.client_gone();
  }
  EXPECT_EQ(rounds, Login::kRoundsMax);
  EXPECT_THAT(login.failure().error, HasSubstr("refuses the user name or password"));
  EXPECT_FALSE(login.has_challenge());
  login.rejected("Auth", "CRV1:R:id:Y3Ix:Token?");
  EXPECT_EQ(login.verdict(), Verdict::kAskAgain) << "somebody ordered another attempt";
}

TEST(Login, AWrongOneTimePasswordIsAskedForAgainAFewTimes) {
  Login login;
  for (unsigned round = 1; round <= Login::kRoundsMax; ++round) {
    const auto question = login.need(no_files(), "Auth", true, static_challenge("0,PIN"));
    ASSERT_TRUE(question);
    EXPECT_EQ(question->text.find("refused") != std::string::npos, round > 1);
    const ControlRequest request = typed("foo", "bar", "1");
    (void)login.answer(&request);
    login.rejected("Auth", "");
    EXPECT_EQ(login.verdict(), round < Login::kRoundsMax ? Verdict::kAskAgain : Verdict::kRefused);
  }
  EXPECT_THAT(login.failure().error, HasSubstr("5 one-time passwords"));
  EXPECT_EQ(login.failure().kind, Failure::Kind::kAnswer);
}

TEST(Login, AConnectionForgetsEarlierRefusals) {
  Login login;
  for (unsigned round = 0; round < 3 * Login::kRoundsMax; ++round) {
    ASSERT_TRUE(login.need(no_files(), "Auth", true, static_challenge("0,PIN")));
    const ControlRequest request = typed("foo", "bar", "1");
    (void)login.answer(&request);
    login.rejected("Auth", "");
    ASSERT_EQ(login.verdict(), Verdict::kAskAgain);
    if (round % 2 == 1) {
      login.connected();
    }
  }
}

TEST(Login, ATokenStandsInUntilItIsRefused) {
  Login login;
  ASSERT_TRUE(login.need(no_files(), "Auth", true, static_challenge("0,PIN")));
  const ControlRequest request = typed("foo", "bar", "1");
  (void)login.answer(&request);
  EXPECT_TRUE(login.is_used_up());
  login.got_token();
  EXPECT_FALSE(login.is_used_up());
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kAskAgain);

  ASSERT_TRUE(login.need(no_files(), "Auth", true, no_challenge()));
  (void)login.answer(&request);
  login.got_token();
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kGoOn);
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kRefused);
}

TEST(Login, TheServersOwnTroubleMayPass) {
  for (const char* reason : {"TEMP:come back later", "Account expired: renew it", "[FULL] later"}) {
    Login login;
    ASSERT_TRUE(login.need(no_files(), "Auth", true, no_challenge()));
    const ControlRequest request = typed("foo", "bar");
    (void)login.answer(&request);
    login.rejected("Auth", reason);
    EXPECT_EQ(login.verdict(), Verdict::kLater) << reason;
    EXPECT_EQ(login.failure().kind, Failure::Kind::kOutside) << reason;
  }
}

TEST(Login, TheServersOwnTroubleCostsNoToken) {
  Login login;
  login.got_token();
  login.rejected("Auth", "TEMP:come back later");
  EXPECT_EQ(login.verdict(), Verdict::kLater);
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kGoOn) << "the token is still there to be refused";
}

TEST(Login, AClientThatSentNoneIsNotRefusedForItsPassword) {
  Login login;
  login.rejected("Auth", "");
  EXPECT_EQ(login.verdict(), Verdict::kLater);
  EXPECT_EQ(login.failure().error, "the server refuses this client");
}

class LoginThatWorked : public testing::Test {
 protected:
  LoginThatWorked() {
    send("bar");
    login_.connected();
  }
  void send(const char* password) {
    ASSERT_TRUE(login_.need(no_files(), "Auth", true, no_challenge()));
    const ControlRequest request = typed("foo", password);
    (void)login_.answer(&request);
  }
  Verdict refused() {
    login_.rejected("Auth", "");
    return login_.verdict();
  }
  Login login_;
};

TEST_F(LoginThatWorked, IsSentAgainAStatedNumberOfTimes) {
  for (unsigned i = 0; i < Login::kRefusalsAfterSuccess; ++i) {
    ASSERT_EQ(refused(), Verdict::kLater);
    EXPECT_EQ(login_.failure().kind, Failure::Kind::kOutside);
    EXPECT_THAT(login_.failure().error, HasSubstr("refuses the user name or password"));
    EXPECT_THAT(login_.failure().hint, HasSubstr("took the same before"));
  }
  EXPECT_EQ(refused(), Verdict::kRefused);
  EXPECT_EQ(login_.failure().kind, Failure::Kind::kAnswer);
}

TEST_F(LoginThatWorked, AgainBeginsToCountAnew) {
  for (unsigned i = 0; i < Login::kRefusalsAfterSuccess; ++i) {
    ASSERT_EQ(refused(), Verdict::kLater);
  }
  login_.connected();
  EXPECT_EQ(refused(), Verdict::kLater);
}

TEST_F(LoginThatWorked, IsNoExcuseForAnother) {
  login_.client_gone();
  send("other");
  EXPECT_EQ(refused(), Verdict::kRefused);
  login_.client_gone();
  send("bar");
  EXPECT_EQ(refused(), Verdict::kLater) << "the one that worked";
}

TEST(Login, APrivateKeyIsNoneOfTheServersBusiness) {
  Login login;
  const auto question = login.need(no_files(), "Private Key", false, no_challenge());
  ASSERT_TRUE(question);
  EXPECT_EQ(question->text, "passphrase of the private key for 'work'");
  const ControlRequest request = typed("", "open sesame");
  EXPECT_EQ(login.answer(&request).password, "open sesame");
  login.rejected("Private Key", "");
  EXPECT_EQ(login.verdict(), Verdict::kRefused);
  EXPECT_THAT(login.failure().error, HasSubstr("passphrase"));
}

/// $CREDENTIALS_DIRECTORY as systemd makes it. Secrets must be root's.
class SystemdCredentials : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "needs root";
    }
    set_folder((folder_ / "").string());
  }
  void TearDown() override {
    (void)::unsetenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): one thread
  }
  static void set_folder(const std::string& folder) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    (void)::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1);
  }
  void give(const std::string& name, const std::string& content) const {
    folder_.write(name, content);
    (void)::chmod((folder_ / name).c_str(), 0400);
  }
  test::ScratchFolder folder_;
};

TEST_F(SystemdCredentials, AreUsedWhereNoFileIsNamed) {
  EXPECT_FALSE(stored_login(no_files()));
  EXPECT_FALSE(stored_passphrase());
  give("vpnrun.auth", "foo\nbar\n");
  give("vpnrun.passphrase", "open sesame\n");
  EXPECT_EQ(stored_login(no_files())->password, "bar");
  EXPECT_EQ(*stored_passphrase(), "open sesame");
  give("other", "mine\nown\n");
  const std::string other = (folder_ / "other").string();
  const profile::ConfigurationPlace place{"work", other.substr(0, other.rfind('/')),
                                          (folder_ / "work.ovpn").string()};
  EXPECT_EQ(stored_login({"work", "", "other", place})->user_name, "mine");
  EXPECT_EQ(stored_login({"work", other, "/absent", place})->user_name, "mine");
  Login login;
  EXPECT_FALSE(login.need(no_files(), "Auth", true, no_challenge()));
  EXPECT_EQ(login.answer(nullptr).password, "bar");
  EXPECT_EQ(login.failure().kind, Failure::Kind::kCredentials);
  EXPECT_FALSE(login.need(no_files(), "Private Key", false, no_challenge()));
  EXPECT_EQ(login.answer(nullptr).password, "open sesame");
  const auto question = login.need(no_files(), "Auth", true, static_challenge("0,PIN"));
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->wants_user_name || question->wants_password);
  const ControlRequest request = typed("ignored", "ignored", "1");
  EXPECT_EQ(login.answer(&request).password, "SCRV1:YmFy:MQ==");
  EXPECT_EQ(login.failure().kind, Failure::Kind::kAnswer);
}

TEST_F(SystemdCredentials, AreNotUsedInTheStrangersFilesThatAConfigurationNames) {
  give("vpnrun.auth", "foo\nbar\n");
  give("other", "mine\nown\nsecret-4711\n");
  const std::string folder = (folder_ / "").parent_path().string();
  CredentialFiles files{"work", "", "/etc/shadow", {"work", folder, folder + "/work.ovpn"}, 7};
  for (const char* name : {"/etc/shadow", "../x", "other"}) {
    files.configuration_file = name;
    try {
      (void)stored_login(files);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr(formatted("/work.ovpn:7: 'auth-user-pass' file '{}': ", name)));
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("4711")));
    }
  }
}

TEST_F(SystemdCredentials, ThatCannotBeUsedAreAnError) {
  give("vpnrun.auth", "foo\n");
  give("vpnrun.passphrase", "\n");
  EXPECT_THROW((void)stored_login(no_files()), Error);
  EXPECT_THROW((void)stored_passphrase(), Error);
  give("vpnrun.auth", "foo\nbar\n");
  (void)::chmod((folder_ / "vpnrun.auth").c_str(), 0444);
  EXPECT_THROW((void)stored_login(no_files()), Error);
  set_folder("relative");
  EXPECT_FALSE(stored_login(no_files()));
}

}  // namespace
}  // namespace vpnrun::service
