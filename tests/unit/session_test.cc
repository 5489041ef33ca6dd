// SPDX-License-Identifier: GPL-2.0-or-later
// What a session decides, against parts that do what the test says and a clock that it sets.
#include "systemd/service/session.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/fakes/session_fakes.h"
#include "tests/fakes/test_clock.h"

namespace vpnrun::service {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

TunnelSettings settings() {
  TunnelSettings what;
  what.addresses = {*Prefix::parse("10.8.0.2/24")};
  what.resolvers = {ip("10.8.0.1")};
  what.search_domains = {"example.org"};
  what.mtu = 1500;
  what.endpoint = Endpoint{ip("198.51.100.10"), Transport::kUdp, 1194};
  return what;
}

Failure passing(const char* error) {
  return {Failure::Kind::kPassing, error, ""};
}

/// A profile "work" with the server vpn.example, which is 198.51.100.10 and .11.
class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    configuration_.profile.name = "work";
    profile::OpenvpnConfig openvpn;
    openvpn.remotes = {{"vpn.example", 1194, Transport::kUdp}};
    configuration_.tunnel = openvpn;
    names_.result.addresses["vpn.example"] = {ip("198.51.100.10"), ip("198.51.100.11")};
  }

  void make() {
    Surroundings around{clock_, names_, hooks_, board_, {}, {}, {}, {}};
    around.load = [this] {
      load_mishap_.happen();
      return configuration_;
    };
    around.build = [this](const Configuration& configuration, const PartEvents& events) {
      return build(configuration, events);
    };
    around.write_resolvers = [this](const auto& resolvers, const auto& search_domains) {
      resolvers_ = resolvers;
      search_domains_ = search_domains;
    };
    around.gave_up = [this] { ++gave_up_; };
    around.is_outdated = [this](const Configuration&) { return is_outdated_; };
    session_ = std::make_unique<Session>(std::move(around));
    journal_.clear();
  }

  TunnelParts build(const Configuration& configuration, const PartEvents& events) {
    journal_.emplace_back("build");
    build_mishap_.happen();
    if (no_memory_) {
      throw std::bad_alloc();
    }
    TunnelParts parts;
    const auto* openvpn = std::get_if<profile::OpenvpnConfig>(&configuration.tunnel);
    parts.type = openvpn != nullptr ? "openvpn" : "none";
    parts.device = openvpn != nullptr ? "tun0" : "";
    auto inside = std::make_unique<FakeInside>(journal_);
    auto link = std::make_unique<FakeLink>(journal_, events.link);
    auto client = std::make_unique<FakeClient>(
        journal_, events.client,
        openvpn != nullptr ? openvpn->remotes : std::vector<profile::Remote>());
    inside_ = inside.get();
    link_ = link.get();
    client_ = client.get();
    device_lost_ = events.device_lost;
    parts.inside = std::move(inside);
    parts.link = std::move(link);
    parts.client = std::move(client);
    return parts;
  }

  /// Starting, the client at work.
  void connecting() {
    make();
    session_->up();
    names_.answer();
    journal_.clear();
  }
  void up() {
    connecting();
    client_->events.connected(settings());
    ASSERT_EQ(state(), State::kUp);
    journal_.clear();
  }
  /// The next attempt, from its beginning to the connected client.
  void reconnect() {
    names_.answer();
    client_->events.connected(settings());
    ASSERT_EQ(state(), State::kUp);
  }
  /// How long until the next attempt begins.
  milliseconds wait_for_attempt() {
    const auto attempts = [this] {
      return std::count(journal_.begin(), journal_.end(), "names look up vpn.example");
    };
    const auto before = attempts();
    for (milliseconds waited{0}; waited < hours(2); waited += milliseconds(100)) {
      if (attempts() != before) {
        return waited;
      }
      clock_.advance(milliseconds(100));
    }
    ADD_FAILURE() << "no attempt begins";
    return milliseconds(-1);
  }
  /// As many attempts that fail, each up to the client at work of the next one.
  void fail_attempts(int count) {
    for (int i = 0; i < count; ++i) {
      client_->events.ended(passing("no"));
      wait_for_attempt();
      names_.answer();
    }
  }
  static CredentialQuestion question(std::uint64_t id) {
    CredentialQuestion question;
    question.id = id;
    question.text = "password for 'work'";
    return question;
  }
  static ControlRequest answer_to(std::uint64_t id) {
    ControlRequest request;
    request.command = Command::kAnswer;
    request.question_id = id;
    request.user_name = Secret("alice");
    return request;
  }

  [[nodiscard]] State state() const { return board_.status().state; }
  [[nodiscard]] const Status& status() const { return board_.status(); }

  Journal journal_;
  TestClock clock_;
  FakeNames names_{journal_};
  FakeHooks hooks_{journal_};
  std::vector<State> published_;
  StatusBoard board_{clock_, "work", [this](const Status&) { return record_works_; },
                     [this](const Status& status) { published_.push_back(status.state); }};
  bool record_works_ = true;
  Configuration configuration_;
  Mishap load_mishap_;
  Mishap build_mishap_;
  bool no_memory_ = false;
  FakeInside* inside_ = nullptr;
  FakeLink* link_ = nullptr;
  FakeClient* client_ = nullptr;
  std::function<void()> device_lost_;
  std::vector<IpAddress> resolvers_;
  std::vector<std::string> search_domains_;
  bool is_outdated_ = false;
  int gave_up_ = 0;
  std::unique_ptr<Session> session_;
};

// --- made, up, down ---

TEST_F(SessionTest, IsDownWhenItIsMade) {
  make();
  EXPECT_EQ(state(), State::kDown);
  EXPECT_EQ(status().tunnel_type, "openvpn");
  EXPECT_EQ(status().device, "tun0");
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(SessionTest, ThatCannotBeBuiltIsNotMade) {
  build_mishap_.error = "no subnet is free";
  EXPECT_THROW(make(), Error);
}

TEST_F(SessionTest, UpLooksNamesUpBeforeAnythingIsOpened) {
  make();
  session_->up();
  EXPECT_THAT(journal_, ElementsAre("names look up vpn.example"));
  EXPECT_EQ(state(), State::kStarting);
}

TEST_F(SessionTest, UpOpensForTheEndpointsFoundAndThenConnects) {
  make();
  session_->up();
  journal_.clear();
  names_.answer();
  EXPECT_THAT(journal_,
              ElementsAre("link open 198.51.100.10:1194/udp 198.51.100.11:1194/udp",
                          "inside open 198.51.100.10:1194/udp 198.51.100.11:1194/udp",
                          "client connect 198.51.100.10:1194/udp 198.51.100.11:1194/udp"));
  EXPECT_EQ(status().endpoint, "198.51.100.10:1194/udp");
  EXPECT_EQ(status().endpoint_name, "vpn.example");
}

TEST_F(SessionTest, AConnectionBringsTheInsideUpBeforeTheHooks) {
  connecting();
  client_->events.connected(settings());
  EXPECT_THAT(journal_, ElementsAre("inside up 10.8.0.2/24", "hooks up", "link settled"));
  EXPECT_EQ(state(), State::kUp);
  EXPECT_THAT(status().addresses, ElementsAre("10.8.0.2/24"));
  EXPECT_THAT(status().dns, ElementsAre("10.8.0.1"));
  EXPECT_EQ(status().mtu, 1500U);
  EXPECT_EQ(status().attempt, 0U);
  EXPECT_EQ(status().error, "");
  EXPECT_THAT(resolvers_, ElementsAre(ip("10.8.0.1")));
  EXPECT_THAT(search_domains_, ElementsAre("example.org"));
}

TEST_F(SessionTest, ResolversOfTheProfileStandInPlaceOfTheServers) {
  configuration_.profile.dns.servers = {ip("192.0.2.53")};
  configuration_.profile.dns.search = {"corp"};
  up();
  EXPECT_THAT(inside_->resolvers, ElementsAre(ip("192.0.2.53")));
  EXPECT_THAT(resolvers_, ElementsAre(ip("192.0.2.53")));
  EXPECT_THAT(search_domains_, ElementsAre("corp"));
}

TEST_F(SessionTest, AServerWithoutResolversIsSaidWithTheRemedy) {
  connecting();
  auto what = settings();
  what.resolvers.clear();
  client_->events.connected(what);
  EXPECT_EQ(state(), State::kUp);
  EXPECT_THAT(status().hint, HasSubstr("set [dns] servers"));
}

TEST_F(SessionTest, HooksAreToldOfTheLinkAndTheEndpoint) {
  up();
  EXPECT_THAT(hooks_.environment, Contains("VPNRUN_PROFILE=work"));
  EXPECT_THAT(hooks_.environment, Contains("VPNRUN_ENDPOINT=198.51.100.10:1194/udp"));
  EXPECT_THAT(hooks_.environment, Contains("VPNRUN_HOST_LINK=vr-work"));
  EXPECT_THAT(hooks_.environment, Contains("VPNRUN_NAMESPACE_ADDRESS=198.18.0.2"));
}

TEST_F(SessionTest, UpWhileUpChangesNothing) {
  up();
  session_->up();
  EXPECT_THAT(journal_, IsEmpty());
  EXPECT_EQ(state(), State::kUp);
}

TEST_F(SessionTest, UpWhileAnAttemptIsUnderWayChangesNothing) {
  connecting();
  session_->up();
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, UpDuringABackOffBeginsAtOnce) {
  connecting();
  fail_attempts(8);
  client_->events.ended(passing("no"));
  clock_.advance(seconds(2));
  journal_.clear();
  session_->up();
  EXPECT_THAT(journal_, ElementsAre("names look up vpn.example"));
}

TEST_F(SessionTest, OrdersToComeUpBeginNoMoreThanOneAttemptASecond) {
  make();
  int begun = 0;
  for (int i = 0; i < 100; ++i) {
    session_->up();
    begun += static_cast<int>(names_.is_asked());
    if (names_.is_asked()) {
      names_.answer();
      client_->events.ended(passing("no"));
    }
    clock_.advance(milliseconds(100));
  }
  EXPECT_LE(begun, 11);
  EXPECT_GE(begun, 5) << "the orders are followed";
}

TEST_F(SessionTest, DownFromUpTakesTheRouteFirst) {
  up();
  session_->down();
  EXPECT_EQ(journal_.front(), "inside down");
  EXPECT_THAT(journal_, Contains("client forget"));
  EXPECT_THAT(journal_, Contains("hooks down"));
  EXPECT_THAT(journal_, Contains("inside close nothing"));
  EXPECT_THAT(journal_, Contains("link open nothing"));
  EXPECT_EQ(state(), State::kDown);
  EXPECT_THAT(status().addresses, IsEmpty());
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(SessionTest, DownWhileStartingEndsTheLookUp) {
  make();
  session_->up();
  session_->down();
  EXPECT_FALSE(names_.is_asked());
  EXPECT_EQ(state(), State::kDown);
  EXPECT_EQ(clock_.pending(), 0U);
  EXPECT_THAT(journal_, Not(Contains("hooks down")));
}

TEST_F(SessionTest, DownWhileConnectingEndsTheAttemptAndItsLimit) {
  connecting();
  session_->down();
  EXPECT_EQ(clock_.pending(), 0U);
  clock_.advance(hours(1));
  EXPECT_EQ(state(), State::kDown);
}

TEST_F(SessionTest, DownWhileReconnectingEndsTheBackOff) {
  up();
  client_->events.ended(passing("gone"));
  session_->down();
  EXPECT_EQ(clock_.pending(), 0U);
  EXPECT_EQ(state(), State::kDown);
  EXPECT_EQ(status().error, "");
}

TEST_F(SessionTest, DownWhileDownIsNoError) {
  make();
  session_->down();
  session_->down();
  EXPECT_EQ(state(), State::kDown);
}

TEST_F(SessionTest, DownAfterAFailureClearsIt) {
  connecting();
  client_->events.ended({Failure::Kind::kSetup, "no key", "get one"});
  session_->down();
  EXPECT_EQ(state(), State::kDown);
  EXPECT_EQ(status().error, "");
}

TEST_F(SessionTest, NewsOfAClientThatWasStoppedCountForNothing) {
  up();
  session_->down();
  journal_.clear();
  client_->events.connected(settings());
  client_->events.ended(passing("late"));
  device_lost_();
  EXPECT_EQ(state(), State::kDown);
  EXPECT_THAT(journal_, IsEmpty());
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(SessionTest, WhatCannotBeClosedIsSaidAndTheTunnelIsDown) {
  up();
  link_->mishap.error = "the lock is busy";
  EXPECT_THROW(session_->down(), Error);
  EXPECT_EQ(state(), State::kDown);
}

TEST_F(SessionTest, EndsOfflineWithTheHooksTold) {
  up();
  session_.reset();
  ASSERT_GE(journal_.size(), 3U);
  EXPECT_EQ(journal_[0], "inside down");
  EXPECT_EQ(journal_[1], "client stop");
  EXPECT_EQ(journal_[2], "hooks down");
  EXPECT_THAT(journal_, ElementsAre("inside down", "client stop", "hooks down", "client gone",
                                    "link gone", "inside gone"));
}

// --- the end of a connection ---

TEST_F(SessionTest, ALossTakesTheRouteBeforeAnythingElse) {
  up();
  client_->events.ended(passing("the VPN client ended"));
  EXPECT_EQ(journal_.front(), "inside down");
  EXPECT_THAT(journal_, Contains("hooks down"));
  EXPECT_EQ(state(), State::kReconnecting);
  EXPECT_EQ(status().error, "the VPN client ended");
  EXPECT_THAT(status().addresses, IsEmpty());
}

TEST_F(SessionTest, ALossIsFollowedByAnAttemptUnasked) {
  up();
  client_->events.ended(passing("gone"));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
  reconnect();
}

TEST_F(SessionTest, TheDeviceMayTellTheEndFirstAndTheClientIsLeftAlone) {
  up();
  device_lost_();
  EXPECT_EQ(journal_.front(), "inside down");
  EXPECT_EQ(state(), State::kReconnecting);
  EXPECT_THAT(journal_, Not(Contains("client stop")));
  const auto pending = clock_.pending();
  client_->events.ended(passing("gone"));
  EXPECT_EQ(clock_.pending(), pending) << "one end is one attempt";
}

TEST_F(SessionTest, ADeviceThatIsLostWhileConnectingIsNoNews) {
  connecting();
  device_lost_();
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, HooksRunOnceForEachConnection) {
  up();
  for (int i = 0; i < 3; ++i) {
    client_->events.ended(passing("gone"));
    wait_for_attempt();
    reconnect();
  }
  EXPECT_EQ(std::count(journal_.begin(), journal_.end(), "hooks down"), 3);
  EXPECT_EQ(std::count(journal_.begin(), journal_.end(), "hooks up"), 3);
}

TEST_F(SessionTest, HooksOfAnAttemptThatFailsAreNotRun) {
  connecting();
  client_->events.ended(passing("no"));
  clock_.advance(hours(1));
  EXPECT_THAT(journal_, Not(Contains(StartsWith("hooks"))));
}

TEST_F(SessionTest, AFailureForGoodWhileUpRunsTheDownHooks) {
  up();
  client_->events.ended({Failure::Kind::kSetup, "credentials cannot be read", ""});
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_THAT(journal_, Contains("hooks down"));
  EXPECT_EQ(gave_up_, 0) << "it was up: whoever mends it finds the companion";
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(SessionTest, AServerThatDropsAtOnceIsTriedEverMoreRarely) {
  up();
  milliseconds last{0};
  for (int i = 0; i < 8; ++i) {
    client_->events.ended(passing("thrown out"));
    const auto pause = wait_for_attempt();
    EXPECT_GT(pause, last);
    last = pause;
    reconnect();
  }
}

TEST_F(SessionTest, AConnectionThatStayedEndsTheBackOff) {
  up();
  for (int i = 0; i < 5; ++i) {
    client_->events.ended(passing("thrown out"));
    wait_for_attempt();
    reconnect();
  }
  clock_.advance(Attempts::kSettled);
  client_->events.ended(passing("gone"));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

// --- attempts that fail ---

TEST_F(SessionTest, AnAttemptThatFailsIsRepeatedAfterGrowingPauses) {
  connecting();
  std::vector<milliseconds::rep> pauses;
  for (int i = 0; i < 6; ++i) {
    client_->events.ended(passing("no"));
    pauses.push_back(wait_for_attempt().count());
    names_.answer();
  }
  EXPECT_THAT(pauses, ElementsAre(200, 400, 800, 1600, 3200, 6400));
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_EQ(status().attempt, 7U);
}

TEST_F(SessionTest, ALongPauseIsExplained) {
  connecting();
  fail_attempts(6);
  client_->events.ended(passing("no"));
  EXPECT_THAT(status().hint, HasSubstr("'vpnrunctl up work' makes one now"));
}

TEST_F(SessionTest, AnAttemptWithoutAnAnswerEndsByItself) {
  connecting();
  clock_.advance(seconds(19));
  EXPECT_THAT(journal_, IsEmpty());
  clock_.advance(seconds(1));
  EXPECT_THAT(journal_, Contains("client stop"));
  EXPECT_THAT(status().error, HasSubstr("no answer from 198.51.100.10:1194/udp"));
}

TEST_F(SessionTest, WhatWasNoticedExplainsAnAttemptThatGetsNoAnswer) {
  connecting();
  client_->events.noticed(passing("the server refuses the connection"));
  clock_.advance(seconds(20));
  EXPECT_EQ(status().error, "the server refuses the connection");
}

TEST_F(SessionTest, WhoIsNotTheServerIsSaidWhileTheAttemptGoesOn) {
  connecting();
  client_->events.noticed({Failure::Kind::kPeer, "not signed by the authority", "get a new one"});
  EXPECT_EQ(status().error, "not signed by the authority");
  EXPECT_EQ(state(), State::kStarting);
  clock_.advance(seconds(20));
  EXPECT_EQ(status().error, "not signed by the authority");
}

TEST_F(SessionTest, WhateverIsNoticedIsSaidAtOnce) {
  connecting();
  client_->events.noticed(passing("the server refuses the connection"));
  EXPECT_EQ(status().error, "the server refuses the connection");
  client_->events.noticed({Failure::Kind::kOutside, "in use on all devices", "wait"});
  EXPECT_EQ(status().error, "in use on all devices");
  EXPECT_EQ(status().hint, "wait");
  EXPECT_EQ(state(), State::kStarting);
}

TEST_F(SessionTest, WhatTheLinkHasFoundOutIsNotHiddenByItsConsequence) {
  connecting();
  link_->events.blocked(passing("chain 'FORWARD' drops"));
  client_->events.noticed(passing("no route"));
  EXPECT_EQ(status().error, "chain 'FORWARD' drops");
}

TEST_F(SessionTest, AServerThatRefusesForItsOwnReasonsIsTriedAgainAndItsWordsAreTold) {
  up();
  client_->events.ended(passing("gone"));
  for (int i = 0; i < 12; ++i) {
    wait_for_attempt();
    names_.answer();
    client_->events.ended({Failure::Kind::kOutside, "in use on all devices", ""});
    EXPECT_EQ(state(), State::kReconnecting);
    EXPECT_EQ(status().error, "in use on all devices");
  }
  EXPECT_EQ(gave_up_, 0);
}

TEST_F(SessionTest, AFirstConnectionThatIsOnlyPersistentEndsNoCompanion) {
  connecting();
  client_->events.ended({Failure::Kind::kPersistent, "the certificate has expired", ""});
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(gave_up_, 0);
  EXPECT_EQ(wait_for_attempt(), Attempts::kLastRetry);
}

TEST_F(SessionTest, AServerIsWaitedForAsLongAsItAsks) {
  connecting();
  Failure busy{Failure::Kind::kOutside, "busy", ""};
  busy.retry_after = seconds(42);
  client_->events.ended(busy);
  EXPECT_THAT(status().hint, HasSubstr("42 s"));
  EXPECT_EQ(wait_for_attempt(), seconds(42));
}

TEST_F(SessionTest, ALoginInABrowserIsToldWithItsLinkAndWaitedFor) {
  connecting();
  client_->events.waits_for_login({"", "a confirmation", seconds(60)});
  EXPECT_THAT(status().error, HasSubstr("waits for a confirmation"));
  client_->events.waits_for_login({"https://login.example/", "a log-in in a browser", seconds(60)});
  client_->events.waits_for_login({"", "a confirmation", seconds(60)});
  EXPECT_EQ(status().login_url, "https://login.example/");
  EXPECT_THAT(status().hint, HasSubstr("https://login.example/"));
  client_->events.noticed(passing("no answer"));
  EXPECT_EQ(status().login_url, "https://login.example/");
  clock_.advance(seconds(79));
  EXPECT_THAT(journal_, Not(Contains("client stop")));
  clock_.advance(seconds(1));
  EXPECT_THAT(status().error, HasSubstr("nobody logged in"));
  EXPECT_EQ(status().login_url, "");
}

TEST_F(SessionTest, ALinkIsGoneOnceItIsConnected) {
  connecting();
  client_->events.waits_for_login({"https://login.example/", "a log-in in a browser", seconds(60)});
  client_->events.connected(settings());
  EXPECT_EQ(status().login_url, "");
  EXPECT_EQ(state(), State::kUp);
}

TEST_F(SessionTest, AnExpiredCertificateEndsTheAttemptSoonAndIsTriedMuchLater) {
  up();
  client_->events.ended(passing("gone"));
  wait_for_attempt();
  names_.answer();
  client_->events.noticed({Failure::Kind::kPersistent, "the certificate has expired", ""});
  clock_.advance(seconds(4));
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(status().error, "the certificate has expired");
  EXPECT_EQ(wait_for_attempt(), Attempts::kLastRetry);
}

TEST_F(SessionTest, WhatTheClientSaysAtTheEndCountsMoreThanWhatItNoticed) {
  connecting();
  client_->events.noticed({Failure::Kind::kSetup, "Cannot load private key", ""});
  client_->events.ended({Failure::Kind::kAnswer, "the passphrase is wrong", ""});
  EXPECT_EQ(status().error, "the passphrase is wrong");
}

TEST_F(SessionTest, WhatOneAttemptNoticedDoesNotExplainTheNext) {
  connecting();
  client_->events.noticed({Failure::Kind::kPeer, "not the server", ""});
  link_->events.blocked(passing("chain 'FORWARD' drops"));
  client_->events.ended(passing("no"));
  wait_for_attempt();
  names_.answer();
  clock_.advance(seconds(20));
  EXPECT_THAT(status().error, HasSubstr("no answer"));
}

TEST_F(SessionTest, TheFirstConnectionThatFailsForGoodEndsTheCompanion) {
  connecting();
  client_->events.ended({Failure::Kind::kSetup, "no key", "get one"});
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(gave_up_, 1);
  ASSERT_TRUE(session_->final_failure());
  EXPECT_EQ(session_->final_failure()->error, "no key");
}

TEST_F(SessionTest, CredentialsThatAreRefusedAreNotSentAgain) {
  connecting();
  client_->events.ended({Failure::Kind::kCredentials, "refused", ""});
  EXPECT_EQ(gave_up_, 1);
  clock_.advance(hours(24));
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_THAT(journal_, Not(Contains("names look up vpn.example")));
}

TEST_F(SessionTest, WhatAPersonTypedWrongIsAskedAnewByTheNextOrder) {
  connecting();
  client_->events.ended({Failure::Kind::kAnswer, "refused", ""});
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(gave_up_, 0);
  clock_.advance(seconds(2));
  journal_.clear();
  session_->up();
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, ElementsAre("names look up vpn.example"));
}

TEST_F(SessionTest, NamesThatDoNotResolveAreAPassingFailure) {
  names_.result.addresses.clear();
  names_.result.errors["vpn.example"] = "Temporary failure";
  make();
  session_->up();
  names_.answer();
  EXPECT_THAT(status().error, HasSubstr("cannot resolve the server's name 'vpn.example'"));
  EXPECT_THAT(journal_, Not(Contains(StartsWith("link open"))));
  EXPECT_THAT(journal_, Not(Contains("client stop"))) << "it may hold what somebody typed";
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, ALookUpThatCannotBeginIsAPassingFailure) {
  names_.mishap.error = "no process is left";
  make();
  session_->up();
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(status().error, HasSubstr("no process is left"));
  names_.mishap.error.reset();
  wait_for_attempt();
  reconnect();
}

TEST_F(SessionTest, AddressesThatTheLinkCannotReachAreLeftOut) {
  make();
  link_->unusable["198.51.100.10"] = {"198.51.100.10 is not a server's address", ""};
  session_->up();
  names_.answer();
  EXPECT_THAT(journal_, Contains("client connect 198.51.100.11:1194/udp"));
}

TEST_F(SessionTest, AConfigurationThatNamesNoUsableServerIsFinal) {
  auto& openvpn = std::get<profile::OpenvpnConfig>(configuration_.tunnel);
  openvpn.remotes = {{"127.0.0.1", 1194, Transport::kUdp}};
  names_.result.addresses["127.0.0.1"] = {ip("127.0.0.1")};
  make();
  link_->unusable["127.0.0.1"] = {"127.0.0.1 is a loopback address", "", false, true};
  session_->up();
  names_.answer();
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(gave_up_, 1);
}

TEST_F(SessionTest, TellsWhatIsLeftOutOfTheConfigurationThatItHasRead) {
  configuration_.left_out = {{"up", {9}, "names", Severity::kNotice, "work.ovpn"}};
  make();
  EXPECT_EQ(status().left_out, configuration_.left_out);
  session_->up();
  names_.answer();
  EXPECT_EQ(status().left_out, configuration_.left_out);
  configuration_.left_out.clear();
  session_->restart();
  EXPECT_TRUE(status().left_out.empty());
}

TEST_F(SessionTest, ALinkThatCannotBeOpenedIsAPassingFailure) {
  make();
  link_->mishap.error = "the machine routes to the server through 'eth1'";
  session_->up();
  names_.answer();
  EXPECT_THAT(status().error, HasSubstr("eth1"));
  EXPECT_THAT(journal_, Not(Contains(StartsWith("client connect"))));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, AClientThatDoesNotStartIsAPassingFailure) {
  make();
  client_->mishap.error = "no memory";
  session_->up();
  names_.answer();
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(status().error, HasSubstr("no memory"));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

/// A disk that was full for an hour has room again, and nobody says so.
TEST_F(SessionTest, WhatFailsBeforeAServerHearsOfItIsTriedAgainEveryFewSeconds) {
  for (const auto& part : {0, 1, 2}) {
    make();
    (part == 0 ? names_.mishap : part == 1 ? link_->mishap : client_->mishap).error = "no room";
    session_->up();
    std::chrono::milliseconds last{};
    for (int i = 0; i < 12; ++i) {
      if (part != 0) {
        names_.answer();
      }
      last = wait_for_attempt();
    }
    EXPECT_EQ(last, Attempts::kLastOwn) << part;
    names_.mishap.error.reset();
  }
}

TEST_F(SessionTest, AnAddressThatIsTheEndpointsIsRefused) {
  connecting();
  auto what = settings();
  what.addresses = {*Prefix::parse("198.51.100.11/32")};
  client_->events.connected(what);
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(status().error, HasSubstr("an address that cannot be used"));
  EXPECT_THAT(journal_, Contains("client stop"));
  EXPECT_THAT(journal_, Not(Contains(StartsWith("inside up"))));
}

TEST_F(SessionTest, AnAddressThatIsTheLinksIsRefused) {
  connecting();
  auto what = settings();
  what.addresses = {*Prefix::parse("198.18.0.77/24")};
  client_->events.connected(what);
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(status().hint, HasSubstr("[link] subnet"));
}

TEST_F(SessionTest, SettingsThatTheKernelRefusesLeaveNoRoute) {
  connecting();
  inside_->mishap.error = "no such device";
  client_->events.connected(settings());
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, ElementsAre("inside down", "client stop"));
}

// --- the machine ---

TEST_F(SessionTest, AWayOutThatIsBackEndsTheBackOff) {
  connecting();
  fail_attempts(9);
  client_->events.ended(passing("no"));
  clock_.advance(seconds(5));
  link_->events.maybe_online();
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, AWayOutThatIsBackDisturbsNeitherAttemptNorConnection) {
  connecting();
  link_->events.maybe_online();
  EXPECT_THAT(journal_, IsEmpty());
  client_->events.connected(settings());
  journal_.clear();
  link_->events.maybe_online();
  clock_.advance(seconds(60));
  EXPECT_THAT(journal_, IsEmpty());
  EXPECT_EQ(state(), State::kUp);
}

TEST_F(SessionTest, AWayOutThatIsBackDoesNotWakeWhatIsDown) {
  make();
  link_->events.maybe_online();
  clock_.advance(seconds(60));
  EXPECT_EQ(state(), State::kDown);
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, AFirewallThatDropsIsSaidAtOnce) {
  connecting();
  link_->events.blocked({Failure::Kind::kPassing, "chain 'FORWARD' drops", "open it"});
  EXPECT_EQ(status().error, "chain 'FORWARD' drops");
  client_->events.ended(passing("no connection"));
  EXPECT_EQ(status().error, "chain 'FORWARD' drops");
}

TEST_F(SessionTest, AFirewallThatDropsIsNoMatterOfATunnelThatIsUp) {
  up();
  link_->events.blocked(passing("chain 'FORWARD' drops"));
  EXPECT_EQ(status().error, "");
}

TEST_F(SessionTest, AFirewallThatWasOpenedLetsANewAttemptBeginAtOnce) {
  connecting();
  link_->events.unblocked();
  EXPECT_THAT(journal_, ElementsAre("client stop", "names look up vpn.example"));
}

TEST_F(SessionTest, AfterASleepTheConnectionIsMadeAnewWithWhatWasTyped) {
  up();
  session_->resumed(seconds(3600));
  EXPECT_THAT(journal_, Contains("client drop"));
  EXPECT_THAT(journal_, Not(Contains("client stop")));
  EXPECT_EQ(state(), State::kReconnecting);
  EXPECT_THAT(status().error, HasSubstr("asleep for 3600 s"));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, AfterASleepAClientWithNothingToLoseStaysUp) {
  up();
  client_->can_drop = false;
  session_->resumed(seconds(3600));
  EXPECT_EQ(state(), State::kUp);
}

TEST_F(SessionTest, AfterASleepABackOffIsOver) {
  connecting();
  fail_attempts(9);
  client_->events.ended(passing("no"));
  clock_.advance(seconds(5));
  session_->resumed(seconds(3600));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, AClockThatWasSetEndsABackOff) {
  connecting();
  fail_attempts(9);
  client_->events.ended(passing("not yet valid"));
  clock_.advance(seconds(5));
  session_->clock_set();
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

TEST_F(SessionTest, AClockThatWasSetTouchesNoConnection) {
  up();
  session_->clock_set();
  EXPECT_EQ(state(), State::kUp);
  EXPECT_THAT(journal_, Not(Contains("client drop")));
}

TEST_F(SessionTest, AfterASleepWhatIsDownStaysDown) {
  make();
  session_->resumed(seconds(60));
  clock_.advance(seconds(60));
  EXPECT_EQ(state(), State::kDown);
}

TEST_F(SessionTest, AServerThatMovedIsFoundByTheNextAttempt) {
  up();
  names_.result.addresses["vpn.example"] = {ip("203.0.113.7")};
  client_->events.ended(passing("gone"));
  wait_for_attempt();
  journal_.clear();
  names_.answer();
  EXPECT_THAT(journal_,
              ElementsAre("link open 203.0.113.7:1194/udp", "inside open 203.0.113.7:1194/udp",
                          "client connect 203.0.113.7:1194/udp"));
}

// --- questions ---

// --- a page in front of the network ---

TEST_F(SessionTest, AnAttemptThatFailsBehindAPortalSaysSoAndGoesOn) {
  names_.result.addresses["vpn.example"] = {ip("192.168.77.1")};
  make();
  link_->signs.gateway = ip("192.168.77.1");
  session_->up();
  names_.answer();
  clock_.advance(seconds(21));
  EXPECT_THAT(board_.status().error, HasSubstr("no answer from 192.168.77.1:1194/udp; it seems "
                                               "that this network wants a log-in"));
  EXPECT_THAT(board_.status().hint, HasSubstr("in a browser outside the tunnel"));
  EXPECT_EQ(state(), State::kStarting);
  names_.result.addresses["vpn.example"] = {ip("198.51.100.10")};
  ASSERT_TRUE(names_.is_asked());
  names_.answer();
  clock_.advance(seconds(21));
  EXPECT_THAT(board_.status().error, Not(HasSubstr("captive"))) << "somebody has logged in";
}

TEST_F(SessionTest, WithoutNamesThePageThatTheNetworkNamesIsSaid) {
  names_.result.addresses.clear();
  names_.result.errors["vpn.example"] = "Temporary failure in name resolution";
  make();
  link_->signs.page = "http://portal.example/";
  session_->up();
  names_.answer();
  EXPECT_THAT(board_.status().error, HasSubstr("captive portal"));
  EXPECT_THAT(board_.status().hint, HasSubstr("open http://portal.example/"));
}

TEST_F(SessionTest, AConnectionThatIsLostIsNoMatterOfAPortal) {
  make();
  link_->signs.page = "http://portal.example/";
  session_->up();
  names_.answer();
  client_->events.connected(settings());
  client_->events.ended(passing("the server stopped answering"));
  EXPECT_THAT(board_.status().error, Not(HasSubstr("captive")));
}

// --- ports from the tunnel ---

constexpr profile::Port kTorrent{Transport::kTcp, 51413};
constexpr profile::Port kGame{Transport::kUdp, 7777};

TEST_F(SessionTest, PortsAreOpenedAndClosedWithoutConnectingAnew) {
  configuration_.profile.ports.inbound = {kTorrent};
  up();
  EXPECT_THAT(board_.status().inbound, ElementsAre("tcp/51413"));
  session_->change_inbound({kGame}, {});
  session_->change_inbound({kGame}, {kTorrent});
  EXPECT_THAT(journal_, ElementsAre("inside ports tcp/51413 udp/7777", "inside ports udp/7777"));
  EXPECT_THAT(board_.status().inbound, ElementsAre("udp/7777"));
  EXPECT_EQ(state(), State::kUp);
}

TEST_F(SessionTest, WhatIsAsItIsOrderedChangesNothing) {
  configuration_.profile.ports.inbound = {kTorrent};
  up();
  session_->change_inbound({kTorrent}, {kGame});
  session_->change_inbound({}, {});
  EXPECT_THAT(journal_, IsEmpty());
  session_->change_inbound({kGame}, {kGame});
  EXPECT_THAT(board_.status().inbound, ElementsAre("tcp/51413", "udp/7777"));
}

TEST_F(SessionTest, APortStaysOpenOverALossAndDown) {
  up();
  session_->change_inbound({kGame}, {});
  session_->down();
  session_->up();
  clock_.advance(seconds(2));
  names_.answer();
  client_->events.connected(settings());
  client_->events.ended(passing("gone"));
  clock_.advance(seconds(2));
  reconnect();
  EXPECT_THAT(board_.status().inbound, ElementsAre("udp/7777"));
  EXPECT_THAT(journal_, Not(Contains("build")));
}

TEST_F(SessionTest, ARestartOpensWhatTheProfileSays) {
  configuration_.profile.ports.inbound = {kTorrent};
  up();
  session_->change_inbound({kGame}, {});
  session_->restart();
  EXPECT_THAT(board_.status().inbound, ElementsAre("tcp/51413"));
}

TEST_F(SessionTest, APortThatTheKernelRefusesIsNotSaidToBeOpen) {
  up();
  inside_->mishap.error = "no memory";
  EXPECT_THROW(session_->change_inbound({kGame}, {}), Error);
  EXPECT_THAT(board_.status().inbound, IsEmpty());
  inside_->mishap.error.reset();
  session_->change_inbound({kGame}, {});
  EXPECT_THAT(board_.status().inbound, ElementsAre("udp/7777"));
}

TEST_F(SessionTest, NobodyOpensPortsWithoutEnd) {
  up();
  std::vector<profile::Port> many;
  for (std::uint16_t number = 1; number <= 300; ++number) {
    many.push_back({Transport::kTcp, number});
  }
  EXPECT_THROW(session_->change_inbound(many, {}), Error);
  EXPECT_THAT(board_.status().inbound, IsEmpty());
}

TEST_F(SessionTest, WithoutATunnelNoPortIsOpened) {
  configuration_.tunnel = NoConfig{};
  make();
  EXPECT_THROW(session_->change_inbound({kGame}, {}), Error);
}

TEST_F(SessionTest, APersonTakesTheTimeThatItTakes) {
  connecting();
  client_->events.asks(question(7));
  EXPECT_THAT(status().error, HasSubstr("waits for password for 'work'"));
  clock_.advance(hours(1));
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, AnAnswerGoesToTheClientAndTheLimitBeginsAnew) {
  connecting();
  client_->events.asks(question(7));
  clock_.advance(hours(1));
  session_->answer(answer_to(7));
  EXPECT_THAT(journal_, ElementsAre("client answer alice"));
  EXPECT_FALSE(status().question);
  EXPECT_EQ(status().error, "");
  clock_.advance(seconds(20));
  EXPECT_THAT(status().error, HasSubstr("no answer from"));
}

TEST_F(SessionTest, AnAnswerToAnotherQuestionIsRefused) {
  connecting();
  EXPECT_THROW(session_->answer(answer_to(7)), Error);
  client_->events.asks(question(8));
  EXPECT_THROW(session_->answer(answer_to(7)), Error);
  EXPECT_TRUE(status().question);
}

TEST_F(SessionTest, AnAnswerThatTheClientRefusesLeavesTheQuestion) {
  connecting();
  client_->events.asks(question(7));
  client_->mishap.error = "there is no user name in the answer";
  EXPECT_THROW(session_->answer(answer_to(7)), Error);
  EXPECT_TRUE(status().question);
}

TEST_F(SessionTest, AQuestionWhileUpLeavesTheTunnelUp) {
  up();
  client_->events.asks(question(9));
  EXPECT_EQ(state(), State::kUp);
  EXPECT_TRUE(status().question);
  session_->answer(answer_to(9));
  EXPECT_EQ(state(), State::kUp);
  clock_.advance(hours(1));
  EXPECT_EQ(state(), State::kUp) << "nothing limits it";
}

TEST_F(SessionTest, AQuestionIsGoneWithItsClient) {
  connecting();
  client_->events.asks(question(7));
  client_->events.ended(passing("the VPN client ended"));
  EXPECT_FALSE(status().question);
}

TEST_F(SessionTest, AQuestionIsGoneWithTheOrderToComeDown) {
  connecting();
  client_->events.asks(question(7));
  session_->down();
  EXPECT_FALSE(status().question);
  EXPECT_THAT(journal_, Contains("client forget"));
}

TEST_F(SessionTest, AClientWhoseDeviceIsLostAsksNobodyAnyMore) {
  up();
  client_->events.asks(question(7));
  device_lost_();
  EXPECT_FALSE(status().question);
  const std::string reason = status().error;
  client_->events.asks(std::nullopt);
  EXPECT_EQ(status().error, reason);
  client_->events.asks(question(8));
  EXPECT_FALSE(status().question) << "the next attempt ends what asks";
}

TEST_F(SessionTest, AQuestionThatIsTakenBackTooLateEndsNoBackOff) {
  for (int drops = 0; drops < 9; ++drops) {
    drops == 0 ? up() : reconnect();
    if (drops < 8) {
      client_->events.ended(passing("thrown out"));
      (void)wait_for_attempt();
    }
  }
  client_->events.asks(question(7));
  device_lost_();
  journal_.clear();
  client_->events.asks(std::nullopt);
  (void)wait_for_attempt();
  EXPECT_THAT(journal_, Not(Contains("client stop"))) << "it has what somebody typed";
}

TEST_F(SessionTest, AChallengeOfTheServerLeadsToAnotherAttemptThatAsks) {
  connecting();
  client_->events.noticed(passing("TLS handshake failed"));
  client_->events.ended({Failure::Kind::kChallenge, "the server asks for more", ""});
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, Not(Contains("client stop")));
  EXPECT_EQ(wait_for_attempt(), Attempts::kFirstRetry);
}

// --- restart ---

TEST_F(SessionTest, ARestartGoesDownAndBuildsAnew) {
  up();
  session_->restart();
  EXPECT_EQ(journal_.front(), "inside down");
  EXPECT_THAT(journal_, Contains("hooks down"));
  const auto gone = std::find(journal_.begin(), journal_.end(), "inside gone");
  const auto built = std::find(journal_.begin(), journal_.end(), "build");
  EXPECT_LT(gone - journal_.begin(), built - journal_.begin()) << "both have the same names";
  EXPECT_EQ(state(), State::kStarting);
  clock_.advance(seconds(2));
  reconnect();
}

TEST_F(SessionTest, ARestartOntoAConfigurationThatCannotBeReadChangesNothing) {
  up();
  load_mishap_.error = "/etc/vpnrun/profiles/work.toml:3: 'tipe' is not a key";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_EQ(state(), State::kUp);
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(SessionTest, ARestartOntoSomethingThatCannotBeBuiltSaysSo) {
  up();
  build_mishap_.error = "the subnet 192.0.2.0/30 is taken";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(status().error, "the subnet 192.0.2.0/30 is taken");
  EXPECT_EQ(status().hint, "try it again");
  EXPECT_THAT(journal_, Contains("hooks down"));
  EXPECT_EQ(gave_up_, 0);
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(SessionTest, ARestartThatFailsForAnyOtherReasonSaysSoAsWell) {
  up();
  no_memory_ = true;
  EXPECT_THROW(session_->restart(), std::bad_alloc);
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_NE(status().error, "");
}

TEST_F(SessionTest, WhatCouldNotBeBuiltIsBuiltByTheNextOrder) {
  up();
  build_mishap_.error = "the subnet is taken";
  EXPECT_THROW(session_->restart(), Error);
  clock_.advance(seconds(2));
  EXPECT_THROW(session_->up(), Error) << "it is still taken";
  EXPECT_EQ(state(), State::kFailed);
  build_mishap_.error.reset();
  session_->up();
  EXPECT_EQ(state(), State::kStarting);
  reconnect();
}

TEST_F(SessionTest, WhatCouldNotBeBuiltCanBeTakenDownAndAnswersNothing) {
  up();
  build_mishap_.error = "the subnet is taken";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_THROW(session_->answer(answer_to(1)), Error);
  session_->resumed(seconds(60));
  session_->down();
  EXPECT_EQ(state(), State::kDown);
  session_.reset();
}

TEST_F(SessionTest, ARestartTakesTheNewConfiguration) {
  up();
  configuration_.profile.dns.servers = {ip("192.0.2.53")};
  session_->restart();
  clock_.advance(seconds(2));
  reconnect();
  EXPECT_THAT(inside_->resolvers, ElementsAre(ip("192.0.2.53")));
}

TEST_F(SessionTest, WhatHasChangedIsReadAgainUnlessItIsUp) {
  connecting();
  EXPECT_FALSE(session_->is_outdated());
  is_outdated_ = true;
  EXPECT_TRUE(session_->is_outdated()) << "starting";
  client_->events.connected(settings());
  EXPECT_FALSE(session_->is_outdated()) << "up";
  client_->events.ended(passing("lost"));
  EXPECT_TRUE(session_->is_outdated()) << "reconnecting";
  session_->down();
  EXPECT_TRUE(session_->is_outdated()) << "down";
}

TEST_F(SessionTest, AMistakeInWhatIsReadAgainIsTheStateOfWhatIsAtRest) {
  make();
  load_mishap_.error = "/etc/vpnrun/profiles/work.toml:3: 'tipe' is not a key";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_EQ(state(), State::kFailed);
  EXPECT_EQ(status().error, *load_mishap_.error);
  EXPECT_EQ(status().hint, "try it again");
  load_mishap_.error = "another";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_EQ(status().error, "another");
  EXPECT_EQ(gave_up_, 0);
  load_mishap_.error.reset();
  session_->restart();
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_EQ(status().error, "");
  reconnect();
}

TEST_F(SessionTest, AMistakeInWhatIsReadAgainDoesNotStopAnAttempt) {
  connecting();
  load_mishap_.error = "wrong";
  EXPECT_THROW(session_->restart(), Error);
  EXPECT_EQ(state(), State::kStarting);
  EXPECT_THAT(journal_, IsEmpty());
  client_->events.connected(settings());
  EXPECT_EQ(state(), State::kUp);
}

// --- without a tunnel ---

TEST_F(SessionTest, WithoutServersNothingIsLookedUpAndTheLinkStaysClosed) {
  configuration_.tunnel = NoConfig();
  make();
  session_->up();
  EXPECT_THAT(journal_,
              ElementsAre("link open nothing", "inside open nothing", "client connect nothing"));
  journal_.clear();
  client_->events.connected({});
  EXPECT_THAT(journal_, ElementsAre("inside up", "hooks up", "link settled"));
  EXPECT_EQ(state(), State::kUp);
  EXPECT_EQ(status().hint, "") << "nobody asks for resolvers";
  session_->down();
  EXPECT_THAT(journal_, Contains("hooks down"));
}

// --- what is published ---

TEST_F(SessionTest, EachStateIsPublishedOnItsWay) {
  up();
  client_->events.ended(passing("gone"));
  wait_for_attempt();
  reconnect();
  session_->down();
  published_.erase(std::unique(published_.begin(), published_.end()), published_.end());
  EXPECT_THAT(published_, ElementsAre(State::kStarting, State::kUp, State::kReconnecting,
                                      State::kUp, State::kDown));
}

TEST_F(SessionTest, WhatCouldNotBeRecordedIsRecordedLater) {
  record_works_ = false;
  up();
  const auto before = published_.size();
  clock_.advance(seconds(3));
  EXPECT_GE(published_.size(), before + 3);
  record_works_ = true;
  clock_.advance(seconds(1));
  EXPECT_EQ(clock_.pending(), 0U);
}

}  // namespace
}  // namespace vpnrun::service
