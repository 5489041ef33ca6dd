// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/status.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

using ::testing::HasSubstr;

Status full_status() {
  Status status;
  status.profile = "work";
  status.state = State::kReconnecting;
  status.since = 1700000000;
  status.pid = 4242;
  status.tunnel_type = "openvpn";
  status.device = "tun0";
  status.addresses = {"10.8.0.2/24", "fd00::2/64"};
  status.dns = {"10.8.0.1"};
  status.endpoint = "198.51.100.10:1194/udp";
  status.endpoint_name = "vpn.example.org";
  status.mtu = 1420;
  status.error = "the server does not answer";
  status.hint = "wait";
  status.attempt = 7;
  status.exceptions = {{"application.i386", "do more"}};
  status.question = CredentialQuestion{3, "user name and password for 'work'", true, true};
  return status;
}

std::string error_of(const std::string& text) {
  try {
    (void)status_from_json(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Status, ComesBackFromJsonAsItWas) {
  const Status before = full_status();
  const Status after = status_from_json(to_json(before));
  EXPECT_EQ(to_json(after), to_json(before));
  EXPECT_EQ(after.state, State::kReconnecting);
  EXPECT_EQ(after.addresses, before.addresses);
  EXPECT_EQ(after.mtu, 1420U);
  EXPECT_EQ(after.exceptions, before.exceptions);
  ASSERT_TRUE(after.question);
  EXPECT_EQ(after.question->id, 3U);
  EXPECT_TRUE(after.question->wants_user_name);
}

TEST(Status, HasALinkOnlyWhileThatIsWaitedFor) {
  Status status = full_status();
  EXPECT_EQ(to_json(status).find("login_url"), std::string::npos);
  status.login_url = "https://login.example/?id=42";
  EXPECT_EQ(status_from_json(to_json(status)).login_url, status.login_url);
}

TEST(Status, ComesBackFromPrettyJsonToo) {
  const Status before = full_status();
  EXPECT_EQ(to_json(status_from_json(to_pretty_json(before))), to_json(before));
}

TEST(Status, IsOneLineWhateverIsInIt) {
  Status status = full_status();
  status.error = "two\nlines\r\n";
  EXPECT_EQ(to_json(status).find('\n'), std::string::npos);
  EXPECT_EQ(status_from_json(to_json(status)).error, status.error);
}

TEST(Status, NamesEveryState) {
  for (const auto& [state, name] :
       {std::pair(State::kDown, "down"), std::pair(State::kStarting, "starting"),
        std::pair(State::kUp, "up"), std::pair(State::kReconnecting, "reconnecting"),
        std::pair(State::kFailed, "failed")}) {
    EXPECT_EQ(to_string(state), name);
    Status status;
    status.state = state;
    EXPECT_EQ(status_from_json(to_json(status)).state, state);
    EXPECT_THAT(to_pretty_json(status), HasSubstr(std::string("\"state\": \"") + name + '"'));
  }
}

TEST(Status, SaysNothingOfExceptionsThatAreNot) {
  EXPECT_EQ(to_json(Status{}).find("exceptions"), std::string::npos);
  EXPECT_THAT(error_of(R"({"exceptions": {}})"), HasSubstr("'exceptions' must be an array"));
  EXPECT_THAT(error_of(R"({"exceptions": ["x"]})"), HasSubstr("exceptions"));
}

TEST(Status, NamesTheExceptionsOfAProfile) {
  profile::Profile profile;
  EXPECT_TRUE(exceptions_of(profile).empty());
  profile.application.i386 = true;
  profile.access.from_namespaces = true;
  const auto exceptions = exceptions_of(profile);
  ASSERT_EQ(exceptions.size(), 2U);
  EXPECT_EQ(exceptions.at(0).key, "application.i386");
  EXPECT_THAT(exceptions.at(0).opens, HasSubstr("AF_VSOCK"));
  EXPECT_EQ(exceptions.at(1).key, "access.from_namespaces");
  profile = {};
  profile.ports.expose = {{Transport::kTcp, 9091}, {Transport::kUdp, 53}};
  EXPECT_THAT(exceptions_of(profile),
              testing::ElementsAre(PromiseException{
                  "ports.expose", "be reached from this machine at tcp/9091, udp/53"}));
}

TEST(Status, KeepsDefaultsForMissingMembers) {
  const Status status = status_from_json("{}");
  EXPECT_EQ(to_json(status), to_json(Status{}));
  EXPECT_FALSE(status.question);
}

TEST(Status, ReplacesBytesThatAreNotUtf8) {
  Status status;
  status.error = "bad \xFF byte";
  EXPECT_EQ(status_from_json(to_json(status)).error, "bad \uFFFD byte");
}

TEST(Status, KeepsNumbersAtTheirLimits) {
  Status status;
  status.mtu = std::numeric_limits<std::uint32_t>::max();
  status.since = std::numeric_limits<std::int64_t>::min();
  status.question = CredentialQuestion{std::numeric_limits<std::uint64_t>::max(), "", false, true};
  const Status after = status_from_json(to_json(status));
  EXPECT_EQ(after.mtu, status.mtu);
  EXPECT_EQ(after.since, status.since);
  EXPECT_EQ(after.question->id, status.question->id);
}

TEST(Status, LooksAtNoMemberThatItDoesNotKnow) {
  const Status status = status_from_json(
      R"({"state":"up","colour":"red","question":{"id":3,"wants_blood":true},"x":[{"y":null}]})");
  EXPECT_EQ(status.state, State::kUp);
  EXPECT_EQ(status.question.value().id, 3U);
}

TEST(Status, AStateThatCameLaterIsNoneOfOursAndIsShownAsItIs) {
  for (const char* word : {"sideways", "unknown", "UP", "up ", ""}) {
    const Status status = status_from_json(formatted(R"({{"state":"{}"}})", word));
    EXPECT_EQ(status.state, State::kUnknown) << word;
    EXPECT_EQ(state_word(status), *word == '\0' ? "unknown" : word);
    EXPECT_THAT(to_json(status), HasSubstr(formatted("\"state\":\"{}\"", state_word(status))));
  }
  EXPECT_EQ(state_word(status_from_json(R"({"state":"up"})")), "up");
}

TEST(Status, TellsAListOfNothingFromNoList) {
  EXPECT_FALSE(status_from_json("{}").features);
  EXPECT_EQ(status_from_json(R"({"features":[]})").features.value().size(), 0U);
  Status status;
  EXPECT_THAT(to_pretty_json(status), testing::Not(HasSubstr("features")));
  status.features = {"tea", "follow"};
  status.version = "9.9";
  const Status after = status_from_json(to_json(status));
  EXPECT_EQ(after.features, status.features);
  EXPECT_EQ(after.version, "9.9");
}

TEST(Status, RefusesWhatItDoesNotWrite) {
  EXPECT_THAT(error_of("{"), HasSubstr("malformed JSON at byte"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(error_of(R"({"state":7})"), HasSubstr("'state' must be a string"));
  EXPECT_THAT(error_of(R"({"mtu":-1})"), HasSubstr("'mtu' must be"));
  EXPECT_THAT(error_of(R"({"mtu":4294967296})"), HasSubstr("'mtu' must be"));
  EXPECT_THAT(error_of(R"({"mtu":1.5})"), HasSubstr("'mtu' must be"));
  EXPECT_THAT(error_of(R"({"pid":18446744073709551615})"), HasSubstr("'pid' must be"));
  EXPECT_THAT(error_of(R"({"dns":"10.8.0.1"})"), HasSubstr("'dns' must be an array of strings"));
  EXPECT_THAT(error_of(R"({"dns":[1]})"), HasSubstr("'dns' must be an array of strings"));
  EXPECT_THAT(error_of(R"({"question":{"wants_password":1}})"), HasSubstr("true or false"));
  EXPECT_THAT(error_of("{\"error\":\"\xFF\"}"), HasSubstr("malformed JSON"));
}

TEST(Status, SurvivesDeeplyNestedJson) {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  EXPECT_THAT(error_of(deep), HasSubstr("cannot parse status"));
  EXPECT_THAT(error_of("{\"dns\":" + deep + "}"), HasSubstr("'dns' must be"));
}

TEST(Status, EachStateIsTheRestOfASentence) {
  Status status;
  const auto phrase_of = [&status](State state) {
    status.state = state;
    return state_phrase(status);
  };
  EXPECT_EQ(phrase_of(State::kDown), "is down");
  EXPECT_EQ(phrase_of(State::kStarting), "is starting");
  EXPECT_EQ(phrase_of(State::kUp), "is up");
  EXPECT_EQ(phrase_of(State::kReconnecting), "is reconnecting");
  EXPECT_EQ(phrase_of(State::kFailed), "has failed");
  status.state_word = "hibernating";
  EXPECT_EQ(phrase_of(State::kUnknown), "is hibernating");
}

TEST(Status, WarningsAreWrittenOnlyIfThereAreAny) {
  Status status = full_status();
  EXPECT_THAT(to_json(status), testing::Not(HasSubstr("warnings")));
  status.warnings = {"one", "two"};
  EXPECT_EQ(status_from_json(to_json(status)).warnings, status.warnings);
  EXPECT_THAT(error_of(R"({"warnings":"one"})"), HasSubstr("'warnings' must be an array"));
}

TEST(Status, AChallengeIsWrittenOnlyIfThereIsOne) {
  Status status = full_status();
  EXPECT_THAT(to_json(status), testing::Not(HasSubstr("challenge")));
  status.question->wants_response = true;
  status.question->challenge = "PIN?";
  status.question->echo = true;
  const Status after = status_from_json(to_json(status));
  EXPECT_TRUE(after.question->wants_response);
  EXPECT_EQ(after.question->challenge, "PIN?");
  EXPECT_TRUE(after.question->echo);
}

}  // namespace
}  // namespace vpnrun
