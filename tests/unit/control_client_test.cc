// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/control_client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/tunnel_wait.h"
#include "tests/unit/fake_companion.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using std::chrono::milliseconds;
using test::FakeCompanion;
using test::Machine;
using test::reply_in;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A client and the other end of its connection.
std::pair<ControlClient, UniqueFd> connected() {
  std::array<int, 2> ends{};
  (void)::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
  return {ControlClient(UniqueFd(ends[0]), "office"), UniqueFd(ends[1])};
}

SteadyClock::time_point soon() {
  return SteadyClock::now() + milliseconds(20);
}
SteadyClock::time_point late() {
  return SteadyClock::now() + std::chrono::seconds(20);
}

class FakePerson final : public Person {
 public:
  void show_link(const std::string& url) override { links.push_back(url); }
  void show_progress(const Status& status, milliseconds /*elapsed*/) override {
    shown.push_back(status.state);
  }
  void end_progress() override { ++ends; }
  [[nodiscard]] Answers answers() const override { return who; }
  Answer ask(const CredentialQuestion& question) override {
    asked.push_back(question.id);
    Answer answer;
    answer.user_name = Secret("alice");
    answer.password = Secret("secret");
    if (question.wants_response) {
      answer.response = Secret("123456");
    }
    return answer;
  }

  std::vector<State> shown;
  std::vector<std::uint64_t> asked;
  std::vector<std::string> links;
  int ends = 0;
  Answers who = Answers::kHere;
};

class Waiting : public ::testing::Test {
 protected:
  /// Carries out `order` against a companion with `script`; the state reached, or the error.
  std::string carry_out_against(const FakeCompanion::Script& script, Order order) {
    machine_.prepare("office");
    FakeCompanion companion(machine_.control("office"), script);
    std::string result;
    try {
      ControlClient client = ControlClient::connect(machine_.places, "office");
      result = to_string(carry_out(client, order, person_).state);
    } catch (const Error& error) {
      result = std::string(error.what()) + " / " + error.hint();
    }
    requests_ = companion.requests();
    std::filesystem::remove(machine_.control("office"));  // the next one listens there
    return result;
  }
  std::string up_against(std::vector<ControlReply> replies,
                         milliseconds patience = milliseconds(10'000)) {
    return carry_out_against([&](const ControlRequest&) { return replies; },
                             {.command = Command::kUp, .goal = State::kUp, .patience = patience});
  }

  Machine machine_;
  FakePerson person_;
  std::vector<ControlRequest> requests_;
};

TEST(ControlClient, AssemblesLinesFromPieces) {
  auto [client, other] = connected();
  const std::string line = encode(reply_in(State::kUp), Audience::kTolerant) +
                           encode(reply_in(State::kDown), Audience::kTolerant);
  ASSERT_EQ(::write(other.get(), line.data(), 10), 10);
  EXPECT_FALSE(client.receive(soon()).has_value());
  ASSERT_EQ(::write(other.get(), line.data() + 10, line.size() - 10),
            static_cast<ssize_t>(line.size() - 10));
  EXPECT_EQ(client.receive(late())->status.state, State::kUp);
  EXPECT_EQ(client.receive(late())->status.state, State::kDown);
}

TEST(ControlClient, ACompanionThatHangsUpIsAnErrorAndNoSignal) {
  auto [client, other] = connected();
  other.reset();
  EXPECT_THROW((void)client.receive(late()), HungUp);
  client.send(ControlRequest{});  // EPIPE; SIGPIPE would end the test
  EXPECT_THROW((void)client.receive(late()), HungUp);
}

TEST(ControlClient, HearsWhyACompanionHungUpAlsoIfItsOwnRequestCameTooLate) {
  auto [client, other] = connected();
  ControlReply refusal;
  refusal.ok = false;
  refusal.error = "no such thing";
  const std::string line = encode(refusal, Audience::kStrict);
  ASSERT_EQ(::send(other.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
  other.reset();
  client.send(ControlRequest{});
  const auto reply = client.receive(late());
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error, "no such thing");
}

/// What has come in at `fd` so far.
std::string arrived(const UniqueFd& fd) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(got));
}

void say(const UniqueFd& fd, const ControlReply& reply) {
  const std::string line = encode(reply, Audience::kTolerant);
  ASSERT_EQ(::send(fd.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
}

ControlReply refusal_of(const std::string& error, const std::string& unknown = {}) {
  ControlReply reply;
  reply.ok = false;
  reply.error = error;
  reply.hint = "its own hint";
  reply.unknown = unknown;
  return reply;
}

ControlRequest request_for(Command command) {
  ControlRequest request;
  request.command = command;
  return request;
}

TEST(ControlClient, SaysHelloInTheSameWriteAsItsFirstRequestAndOnce) {
  auto [client, other] = connected();
  client.send(request_for(Command::kUp));
  EXPECT_EQ(arrived(other), "{\"command\":\"hello\"}\n{\"command\":\"up\"}\n");
  say(other, test::greeting_in(State::kDown));
  EXPECT_FALSE(client.receive(soon()).has_value()) << "the answer to hello is not the answer";
  say(other, reply_in(State::kUp));
  EXPECT_EQ(client.receive(late())->status.state, State::kUp);
  client.send(request_for(Command::kDown));
  EXPECT_EQ(arrived(other), "{\"command\":\"down\"}\n");
}

TEST(ControlClient, ACompanionOfTheFirstVersionLosesNothingByHello) {
  auto [client, other] = connected();
  client.send(request_for(Command::kRestart));
  say(other, test::greeting_of_first());
  say(other, reply_in(State::kUp));
  EXPECT_EQ(client.receive(late())->status.state, State::kUp);
  ControlRequest answer = request_for(Command::kAnswer);
  answer.response = Secret("123456");
  (void)arrived(other);
  client.send(answer);
  EXPECT_THAT(arrived(other), HasSubstr("123456"));
}

TEST(ControlClient, ARefusalOfMoreThanHelloIsTheAnswer) {
  auto [client, other] = connected();
  client.send(request_for(Command::kUp));
  say(other, refusal_of("it no longer admits you"));
  const auto reply = client.receive(late());
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error, "it no longer admits you");
  EXPECT_EQ(reply->hint, "its own hint");
}

TEST(ControlClient, SendsNothingThatTheCompanionDoesNotList) {
  auto [client, other] = connected();
  client.send(request_for(Command::kStatus));
  ControlReply greeting = test::greeting_in(State::kUp);
  greeting.status.version = "0.1.9";
  greeting.status.features = {"follow"};
  say(other, greeting);
  say(other, reply_in(State::kUp));
  ASSERT_TRUE(client.receive(late()).has_value());
  (void)arrived(other);
  try {
    client.send(request_for(Command::kRestart));
    FAIL() << "sent";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "cannot ask the tunnel of profile 'office' for 'restart': its companion does not "
                 "support that");
    EXPECT_EQ(error.hint(), "the companion is version 0.1.9, this program " VPNRUN_VERSION
                            "; as root: systemctl restart vpnrun@office");
  }
  EXPECT_EQ(arrived(other), "");
}

TEST(ControlClient, SaysWhatTheCompanionCanDoBeforeAnythingIsAsked) {
  for (const bool is_first : {false, true}) {
    auto [client, other] = connected();
    say(other, is_first ? test::greeting_of_first() : test::greeting_in(State::kUp));
    EXPECT_EQ(client.features(), is_first ? feature::first() : feature::own());
    EXPECT_EQ(arrived(other), "{\"command\":\"hello\"}\n");
    client.send(request_for(Command::kUp));
    EXPECT_EQ(arrived(other), "{\"command\":\"up\"}\n");
    EXPECT_EQ(client.features(), is_first ? feature::first() : feature::own());
  }
  auto [client, other] = connected();
  say(other, refusal_of("it no longer admits you"));
  EXPECT_THROW((void)client.features(), Error);
}

TEST(ControlClient, NamesWhatAnOlderCompanionDoesNotKnowAndTheRemedy) {
  for (const ControlReply& refusal : {refusal_of("cannot parse request: unknown member 'server'"),
                                      refusal_of("anything", "server")}) {
    auto [client, other] = connected();
    client.send(request_for(Command::kUp));
    say(other, test::greeting_of_first());
    say(other, refusal);
    const auto reply = client.receive(late());
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->error, "its companion does not know 'server' in a request");
    EXPECT_EQ(reply->hint,
              "the companion is older than this program; as root: systemctl restart vpnrun@office");
  }
}

TEST(ControlClient, ACompanionOfTheSameVersionIsNotToBeRestarted) {
  auto [client, other] = connected();
  client.send(request_for(Command::kUp));
  say(other, test::greeting_in(State::kUp));
  say(other, refusal_of("anything", "server"));
  EXPECT_EQ(client.receive(late()).value().hint, "its own hint");
}

TEST(ControlClient, DoesNotSwallowAnEndlessLine) {
  auto [client, other] = connected();
  const std::string junk(4096, 'x');
  std::string problem;
  for (int i = 0; i < 40 && problem.empty(); ++i) {
    (void)::send(other.get(), junk.data(), junk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    try {
      (void)client.receive(SteadyClock::now());
    } catch (const Error& error) {
      problem = error.what();
    }
  }
  EXPECT_THAT(problem, HasSubstr("Message too long"));
}

TEST(ControlClient, AbsentAndForbiddenProfilesGiveTheSameText) {
  const Machine machine;
  machine.add_profile("office");
  const auto problem = [&] {
    try {
      (void)ControlClient::connect(machine.places, "office");
    } catch (const NotRunning&) {
      return std::string("not running");
    } catch (const Unreachable& error) {
      return std::string(error.what()) + " / " + error.hint();
    }
    return std::string("connected");
  };
  const std::string absent = problem();
  EXPECT_THAT(absent,
              HasSubstr("cannot use profile 'office': it is not prepared, or not open to you"));
  EXPECT_THAT(absent, HasSubstr("vpnrun-tunnel prepare office"));
  machine.folder.write("run/office", "");  // ENOTDIR, like EACCES: the way is barred
  EXPECT_EQ(problem(), absent);
}

TEST(ControlClient, MistypedNameGetsASuggestion) {
  const Machine machine;
  machine.add_profile("office");
  machine.prepare("office");
  try {
    (void)ControlClient::connect(machine.places, "offcie");
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "did you mean 'office'?");
  }
}

TEST(ControlClient, RootIsToldThatThereIsNoSuchProfile) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "to others it is the same as one that is not open to them; run it as root";
  }
  const Machine machine;
  machine.add_profile("office");  // not prepared, so that nobody may use it
  const auto problem = [&machine](const std::string& name) {
    try {
      (void)ControlClient::connect(machine.places, name);
    } catch (const Unreachable& error) {
      return std::string(error.what()) + " / " + error.hint();
    }
    return std::string("connected");
  };
  EXPECT_THAT(problem("offcie"), HasSubstr("'offcie': there is none of that name"));
  EXPECT_THAT(problem("offcie"), HasSubstr("did you mean 'office'?"));
  EXPECT_THAT(problem("something"), HasSubstr("something.toml"));
  EXPECT_THAT(problem("office"), HasSubstr("it is not prepared"));
  machine.prepare("gone");  // a tunnel whose file is gone is there all the same
  EXPECT_EQ(problem("gone").find("there is none"), std::string::npos);
}

TEST(ControlClient, TellsAnAdmittedUserThatNobodyServes) {
  const Machine machine;
  machine.prepare("office");
  EXPECT_THROW((void)ControlClient::connect(machine.places, "office"), NotRunning);
  { const FakeCompanion gone(machine.control("office"), nullptr); }
  EXPECT_THROW((void)ControlClient::connect(machine.places, "office"), NotRunning);
}

TEST(ControlClient, AnAnswerThatNoCompanionTakesIsNotSent) {
  auto [client, other] = connected();
  ControlRequest request;
  request.command = Command::kAnswer;
  request.password = Secret(std::string(kControlLineMax, 'a'));
  try {
    client.send(request);
    ADD_FAILURE() << "sent";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the answer is too long"));
  }
  char none = 0;
  EXPECT_LT(::recv(other.get(), &none, 1, MSG_DONTWAIT), 0);
}

/// Whether connect_if_running() refuses because nobody runs.
bool refuses_to_wake(const Machine& machine) {
  try {
    (void)ControlClient::connect_if_running(machine.places, "office");
    return false;
  } catch (const NotRunning&) {
    return true;
  }
}

void write_state_of(const Machine& machine, pid_t pid) {
  Status status = test::status_in(State::kUp);
  status.pid = pid;
  machine.folder.write("run/office/state.json", to_json(status));
}

TEST(ControlClient, LookingDoesNotWakeACompanionThatSystemdWouldStart) {
  const Machine machine;
  machine.prepare("office");
  const FakeCompanion listener(machine.control("office"), nullptr);
  EXPECT_FALSE(refuses_to_wake(machine));  // without systemd, who listens is the companion
  machine.folder.write("systemd", "");
  EXPECT_TRUE(refuses_to_wake(machine));
  write_state_of(machine, ::getpid());
  EXPECT_FALSE(refuses_to_wake(machine));
  const pid_t dead = ::fork();
  if (dead == 0) {
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
  write_state_of(machine, dead);
  EXPECT_TRUE(refuses_to_wake(machine));
}

TEST(ControlClient, AProcessThatHasTheNumberOfACompanionByNowIsNotOne) {
  const Machine machine;
  machine.prepare("office");
  machine.folder.write("systemd", "");
  const FakeCompanion listener(machine.control("office"), nullptr);
  write_state_of(machine, ::getpid());  // and it lives
  const std::string path = machine.folder / "run/office/alive";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  UniqueFd mark(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(mark.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::shutdown(mark.get(), SHUT_RD), 0);
  EXPECT_FALSE(refuses_to_wake(machine));
  write_state_of(machine, 0);
  EXPECT_FALSE(refuses_to_wake(machine));
  mark.reset();  // the companion's end, whatever it was
  write_state_of(machine, ::getpid());
  EXPECT_TRUE(refuses_to_wake(machine));
}

TEST_F(Waiting, OneRoundTripIsEnoughForATunnelThatIsUp) {
  EXPECT_EQ(up_against({reply_in(State::kUp)}), "up");
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].command, Command::kUp);
  EXPECT_TRUE(requests_[0].follow);
  EXPECT_THAT(person_.shown, ElementsAre());
}

TEST_F(Waiting, FollowsTheStatesUntilTheTunnelIsUp) {
  EXPECT_EQ(up_against({reply_in(State::kDown), reply_in(State::kStarting),
                        reply_in(State::kReconnecting), reply_in(State::kUp)}),
            "up");
  EXPECT_EQ(person_.ends, 1);
}

TEST_F(Waiting, AFailedTunnelEndsTheWaitWithItsReasonAndHint) {
  ControlReply failed = reply_in(State::kFailed);
  failed.status.error = "wrong \x1b[1mpassword";
  failed.status.hint = "ask the provider";
  EXPECT_EQ(up_against({reply_in(State::kStarting), failed}),
            "cannot start the tunnel of profile 'office': wrong ?[1mpassword / ask the provider");
}

TEST_F(Waiting, NamesTheLastErrorWhenPatienceEnds) {
  ControlReply starting = reply_in(State::kStarting);
  starting.status.error = "no answer";
  const std::string problem = up_against({starting}, milliseconds(30));
  EXPECT_THAT(problem, HasSubstr("'office': still starting after 0.03 s (no answer)"));
  EXPECT_THAT(problem, HasSubstr("vpnrunctl status office"));
}

TEST_F(Waiting, WithoutPatienceTheFirstReplyDecidesAndNobodyIsAsked) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{};
  EXPECT_THAT(up_against({asking}, milliseconds(0)), HasSubstr("still starting after 0 s"));
  EXPECT_THAT(person_.asked, ElementsAre());
}

TEST_F(Waiting, SomebodyElsesOrderToStopEndsTheWait) {
  EXPECT_THAT(up_against({reply_in(State::kStarting), reply_in(State::kDown)}),
              HasSubstr("somebody ordered it down"));
}

TEST_F(Waiting, ARefusalIsPassedOn) {
  ControlReply refusal;
  refusal.ok = false;
  refusal.error = "not you";
  refusal.hint = "be somebody else";
  EXPECT_EQ(up_against({refusal}),
            "cannot start the tunnel of profile 'office': not you / be somebody else");
}

TEST_F(Waiting, AStatusOrderOrdersNothing) {
  const Order look{.command = Command::kStatus, .goal = State::kUp, .patience = milliseconds(0)};
  EXPECT_THAT(
      carry_out_against([](const ControlRequest&) { return std::vector{reply_in(State::kDown)}; },
                        look),
      HasSubstr("cannot use the tunnel of profile 'office': it is down / 'vpnrunctl up office'"));
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].command, Command::kStatus);
  EXPECT_FALSE(requests_[0].follow);
}

TEST_F(Waiting, AsksEachQuestionOnceAndSendsTheAnswer) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 7, .text = "who?", .wants_user_name = true};
  const auto script = [&](const ControlRequest& request) -> std::vector<ControlReply> {
    return request.command == Command::kAnswer
               ? std::vector{asking, reply_in(State::kStarting), reply_in(State::kUp)}
               : std::vector{asking};
  };
  EXPECT_EQ(carry_out_against(script, {.patience = milliseconds(10'000)}), "up");
  EXPECT_THAT(person_.asked, ElementsAre(7U));
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(encode(requests_[1]),
            R"({"command":"answer","question_id":7,"user_name":"alice","password":"secret"})"
            "\n");
}

TEST_F(Waiting, AStateThatCameLaterIsWaitedOnAndNeverTakenForUp) {
  ControlReply later = reply_in(State::kUnknown);
  later.status.state_word = "hiber\x1bnating";
  EXPECT_EQ(up_against({later, reply_in(State::kUp)}), "up");
  EXPECT_THAT(up_against({later}, milliseconds(30)),
              HasSubstr("'office': still hiber?nating after 0.03 s"));
  const Order look{.command = Command::kStatus, .goal = State::kUp, .patience = milliseconds(0)};
  EXPECT_THAT(carry_out_against([&](const ControlRequest&) { return std::vector{later}; }, look),
              HasSubstr("cannot use the tunnel of profile 'office': it is hiber?nating"));
  const Order down{.command = Command::kDown, .goal = State::kDown, .patience = milliseconds(30)};
  EXPECT_THAT(carry_out_against([&](const ControlRequest&) { return std::vector{later}; }, down),
              HasSubstr("still hiber?nating"));
}

TEST_F(Waiting, AQuestionOfALaterKindIsNotAnsweredWithNothing) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question =
      CredentialQuestion{.id = 7, .text = "a touch of the key", .wants_password = false};
  EXPECT_THAT(up_against({asking}),
              HasSubstr("it asks for 'a touch of the key', which this program cannot answer"));
  EXPECT_THAT(person_.asked, ElementsAre());
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(Waiting, SendsTheResponseToAChallenge) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 7, .wants_response = true, .challenge = "PIN?"};
  const auto script = [&](const ControlRequest& request) -> std::vector<ControlReply> {
    return request.command == Command::kAnswer
               ? std::vector{reply_in(State::kStarting), reply_in(State::kUp)}
               : std::vector{asking};
  };
  EXPECT_EQ(carry_out_against(script, {.patience = milliseconds(10'000)}), "up");
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[1].response, "123456");
}

TEST_F(Waiting, SaysWhetherSomebodyCanBeAsked) {
  EXPECT_EQ(up_against({reply_in(State::kUp)}), "up");
  EXPECT_TRUE(requests_.at(0).asks);
  for (const auto who : {Person::Answers::kElsewhere, Person::Answers::kNowhere}) {
    person_.who = who;
    EXPECT_EQ(up_against({reply_in(State::kUp)}), "up");
    EXPECT_FALSE(requests_.at(0).asks);
  }
}

TEST_F(Waiting, ShowsALinkOnce) {
  ControlReply pending = reply_in(State::kStarting);
  pending.status.login_url = "https://login.example/?id=42";
  ControlReply other = pending;
  other.status.login_url = "https://login.example/?id=43";
  EXPECT_EQ(up_against({reply_in(State::kStarting), pending, pending, other, reply_in(State::kUp)}),
            "up");
  EXPECT_THAT(person_.links,
              testing::ElementsAre("https://login.example/?id=42", "https://login.example/?id=43"));
}

TEST_F(Waiting, WaitsOnAQuestionThatOthersAnswer) {
  person_.who = Person::Answers::kElsewhere;
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 7, .text = "who?"};
  EXPECT_EQ(up_against({asking, reply_in(State::kStarting), reply_in(State::kUp)}), "up");
  asking.status.error = "waits for who?";
  asking.status.hint = "ask somebody";
  EXPECT_EQ(up_against({asking}, milliseconds(20)),
            "cannot start the tunnel of profile 'office': still starting after 0.02 s (waits for "
            "who?) / ask somebody");
  EXPECT_THAT(person_.asked, ElementsAre());
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(Waiting, AnAnswerThatCameTooLateIsNoFailure) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 7, .text = "who?"};
  ControlReply belated;
  belated.ok = false;
  belated.error = "no such question";
  const auto script = [&](const ControlRequest& request) -> std::vector<ControlReply> {
    return request.command == Command::kAnswer
               ? std::vector{reply_in(State::kStarting), belated, reply_in(State::kUp)}
               : std::vector{asking};
  };
  EXPECT_EQ(carry_out_against(script, {.patience = milliseconds(10'000)}), "up");
}

TEST_F(Waiting, ARefusedAnswerToAQuestionThatStandsEndsTheWait) {
  ControlReply asking = reply_in(State::kStarting);
  asking.status.question = CredentialQuestion{.id = 7, .text = "who?"};
  ControlReply refusal;
  refusal.ok = false;
  refusal.error = "too long";
  const auto script = [&](const ControlRequest& request) -> std::vector<ControlReply> {
    return std::vector{request.command == Command::kAnswer ? refusal : asking};
  };
  EXPECT_THAT(carry_out_against(script, {.patience = milliseconds(10'000)}),
              HasSubstr("cannot start the tunnel of profile 'office': too long"));
}

}  // namespace
}  // namespace vpnrun
