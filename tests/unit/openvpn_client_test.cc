// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/openvpn_client.h"

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/completion.h"
#include "systemd/service/os/log.h"
#include "tests/fakes/fake_openvpn.h"
#include "tests/fakes/test_clock.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using openvpn::FakeOpenvpn;
using openvpn::FakeRun;
using openvpn::Tries;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;
using Kind = Failure::Kind;

const char* const kChallenge = "CRV1:R,E:id:Y3Ix:Token?";

Endpoint server(int number, Transport transport = Transport::kUdp) {
  return {*IpAddress::parse("198.51.100." + std::to_string(number)), transport, 1194};
}

std::map<std::string, std::string> assigned(const std::string& endpoint = "198.51.100.1") {
  return {{"ifconfig_local", "10.8.0.2"},
          {"ifconfig_netmask", "255.255.255.0"},
          {"trusted_ip", endpoint},
          {"trusted_port", "1194"},
          {"foreign_option_1", "dhcp-option DNS 10.8.0.1"}};
}

class OpenvpnClientTest : public testing::Test {
 protected:
  OpenvpnClientTest() { make(); }

  /// Anew, with files_ and config_.
  void make() {
    client_.reset();
    TunnelEvents events;
    events.connected = [this](const TunnelSettings& settings) {
      seen_.push_back("connected " + settings.addresses.front().str());
      endpoint_ = settings.endpoint;
      if (at_connected_) {
        at_connected_();
      }
    };
    events.ended = [this](const Failure& failure) {
      EXPECT_FALSE(is_calling_);
      seen_.push_back("ended " + failure.error);
      ended_ = failure;
      if (at_ended_) {
        at_ended_();
      }
    };
    events.noticed = [this](const Failure& failure) {
      seen_.push_back("noticed " + failure.error);
      noticed_ = failure;
    };
    events.asks = [this](const std::optional<CredentialQuestion>& question) {
      seen_.push_back(question ? "asks " + question->text : "asks no more");
      question_ = question;
      if (!question && at_asked_no_more_) {
        at_asked_no_more_();
      }
    };
    events.waits_for_login = [this](const BrowserLogin& login) { logins_.push_back(login); };
    client_ = std::make_unique<OpenvpnClient>(clock_, files_, config_, openvpn_.starter(),
                                              std::shared_ptr<void>(), std::move(events));
  }

  std::optional<Endpoint> connect(const std::vector<Endpoint>& endpoints) {
    is_calling_ = true;
    const auto first = client_->connect(endpoints);
    is_calling_ = false;
    return first;
  }
  /// Connects to `endpoints`, and the process is released from its hold.
  FakeRun& begin(const std::vector<Endpoint>& endpoints = {server(1)}) {
    connect(endpoints);
    run().hold();
    return run();
  }
  /// A person types one, and OpenVPN prints this.
  void give_passphrase(std::initializer_list<const char*> lines) {
    connect({server(1)});
    run().need("Private Key");
    answer("", "typed");
    for (const char* line : lines) {
      run().print(line);
    }
  }
  FakeRun& begin_connected(const std::vector<Endpoint>& endpoints = {server(1)}) {
    begin(endpoints);
    run().up(assigned());
    run().state("CONNECTED", "SUCCESS");
    return run();
  }
  void answer(const std::string& user, const std::string& password,
              const std::string& response = "") {
    ASSERT_TRUE(question_);
    ControlRequest request;
    request.command = Command::kAnswer;
    request.question_id = question_->id;
    request.user_name = Secret(user);
    request.password = Secret(password);
    request.response = Secret(response);
    client_->answer(request);
  }
  [[nodiscard]] FakeRun& run() const { return openvpn_.run(); }
  [[nodiscard]] long ends() const {
    return std::count_if(seen_.begin(), seen_.end(),
                         [](const auto& line) { return line.starts_with("ended"); });
  }

  TestClock clock_;
  FakeOpenvpn openvpn_;
  CredentialFiles files_{"work", "", "", {}};
  profile::OpenvpnConfig config_;
  std::unique_ptr<OpenvpnClient> client_;
  bool is_calling_ = false;
  std::vector<std::string> seen_;
  std::optional<Failure> ended_;
  std::optional<Failure> noticed_;
  std::optional<Endpoint> endpoint_;
  std::optional<CredentialQuestion> question_;
  std::vector<BrowserLogin> logins_;
  std::function<void()> at_connected_;
  std::function<void()> at_ended_;
  std::function<void()> at_asked_no_more_;
};

// --- one attempt ---

TEST_F(OpenvpnClientTest, LetsTheProcessGoAtItsHoldAndTellsTheSettings) {
  EXPECT_EQ(connect({server(1)}), server(1));
  EXPECT_THAT(run().orders, IsEmpty());
  run().hold();
  EXPECT_THAT(run().orders, ElementsAre("release"));
  run().up(assigned());
  EXPECT_THAT(seen_, IsEmpty());
  run().state("CONNECTED", "SUCCESS");
  EXPECT_THAT(seen_, ElementsAre("connected 10.8.0.2/24"));
  EXPECT_EQ(endpoint_, server(1));
}

TEST_F(OpenvpnClientTest, NamesTheServersOfTheConfiguration) {
  config_.remotes = {{"vpn.example", 443, Transport::kTcp}, {"198.51.100.1"}};
  make();
  ASSERT_EQ(client_->servers().size(), 2U);
  EXPECT_EQ(client_->servers().front(), config_.remotes.front());
}

TEST_F(OpenvpnClientTest, TellsAProcessThatCannotBeStartedAndRunsNothing) {
  openvpn_.fails = true;
  EXPECT_THROW(client_->connect({server(1)}), Error);
  openvpn_.fails = false;
  begin();
  EXPECT_EQ(openvpn_.running(), 1);
  openvpn_.fails = true;
  EXPECT_THROW(client_->connect({server(2)}), Error);
  EXPECT_EQ(openvpn_.running(), 0);
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_THROW(client_->connect({}), Error);
}

TEST_F(OpenvpnClientTest, FailsWhenTheProcessIsBackAtItsHoldAtOnce) {
  begin();
  run().hold();
  EXPECT_THAT(seen_, ElementsAre("ended no connection to 198.51.100.1:1194/udp"));
  EXPECT_EQ(ended_->kind, Kind::kPassing);
  EXPECT_THAT(run().orders, ElementsAre("release"));
  EXPECT_FALSE(run().is_stopped) << "it waits for the next attempt";
}

TEST_F(OpenvpnClientTest, LetsTheProcessTryEachServerOnceHoweverQuickItIs) {
  begin({server(1), server(2), server(3)});
  run().hold();
  run().hold();
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(run().orders.size(), 3U);
  run().hold();
  EXPECT_EQ(ends(), 1);
  EXPECT_EQ(run().orders.size(), 3U);
}

TEST_F(OpenvpnClientTest, LetsTheProcessTryAgainThatTookItsTime) {
  begin();
  clock_.advance(Tries::kQuick);
  run().hold();
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(run().orders.size(), 2U);
}

TEST_F(OpenvpnClientTest, EndsAnAttemptOnce) {
  begin();
  run().hold();
  run().state("RECONNECTING", "server_poll");
  run().state("EXITING", "auth-failure");
  run().rejected("Private Key");
  run().lost();
  run().down();
  run().exit();
  EXPECT_EQ(ends(), 1);
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, FailsIfTheServerAssignsNoUsableAddress) {
  begin();
  run().up({{"ifconfig_local", "300.1.1.1"}});
  run().state("CONNECTED", "SUCCESS");
  EXPECT_THAT(seen_, ElementsAre("ended the server assigned no address"));
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, TellsThatTheProcessEndedBeforeItWasConnected) {
  begin();
  run().exit();
  EXPECT_THAT(seen_, ElementsAre("ended the VPN client ended before it was connected"));
  EXPECT_EQ(openvpn_.running(), 0);
}

// --- many servers ---

std::vector<Endpoint> servers(int count) {
  std::vector<Endpoint> all;
  for (int i = 1; i <= count; ++i) {
    all.push_back(server(i));
  }
  return all;
}

TEST_F(OpenvpnClientTest, TriesAllOfAFewAndAPartOfMany) {
  EXPECT_EQ(client_->choose(servers(32)), servers(32));
  EXPECT_EQ(client_->choose(servers(40)), servers(32));
}

TEST_F(OpenvpnClientTest, TakesOverWhereTheLastAttemptEnded) {
  std::set<std::string> first;  // tried, with two servers an attempt
  for (int attempt = 0; attempt < 40 && first.size() < 40; ++attempt) {
    const std::vector<Endpoint> part = client_->choose(servers(40));
    EXPECT_EQ(part.size(), OpenvpnClient::kEndpointsMost);
    EXPECT_EQ(connect(part), part.front());
    EXPECT_EQ(run().servers, part);
    for (std::size_t i = 0; i < 2; ++i) {
      run().hold();
      first.insert(run().servers.at(i).str());
      clock_.advance(Tries::kQuick);
    }
    client_->stop();  // the attempt takes too long
  }
  EXPECT_EQ(first.size(), 40U);
}

TEST_F(OpenvpnClientTest, GoesOnWithTheOthersWhenAPartIsThrough) {
  const std::vector<Endpoint> part = client_->choose(servers(40));
  begin(part);
  for (std::size_t i = 0; i < part.size(); ++i) {
    run().hold();
  }
  EXPECT_EQ(ends(), 1);
  EXPECT_FALSE(run().is_stopped) << "it waits for the next attempt";
  EXPECT_EQ(client_->choose(servers(40)).front(), server(33));
}

TEST_F(OpenvpnClientTest, StartsOverWithManyAfterAConnection) {
  (void)client_->choose(servers(40));
  client_->stop();
  const std::vector<Endpoint> second = client_->choose(servers(40));
  EXPECT_EQ(second.front(), server(2));
  begin_connected(second);
  run().state("RECONNECTING", "ping-restart");
  run().hold();
  EXPECT_EQ(client_->choose(servers(40)), second) << "the process has what somebody typed";
  client_->stop();
  EXPECT_EQ(client_->choose(servers(40)).front(), server(1));
}

TEST_F(OpenvpnClientTest, TriesManyAtRandomIfTheConfigurationSaysSo) {
  config_.remote_random = true;
  make();
  std::set<std::string> first;
  for (int attempt = 0; attempt < 400 && first.size() < 40; ++attempt) {
    first.insert(client_->choose(servers(40)).front().str());
  }
  EXPECT_EQ(first.size(), 40U);
}

// --- what explains a failure ---

TEST_F(OpenvpnClientTest, TellsWhatExplainsMoreWhileTheAttemptGoesOn) {
  begin({server(1), server(2)});
  run().print("TCP: connect to 198.51.100.1 failed: Connection refused");
  run().print("TLS Error: TLS handshake failed");
  run().print("VERIFY EKU ERROR");
  run().print("VERIFY KU ERROR");
  run().print("WARNING: Your certificate has expired!");
  EXPECT_THAT(seen_, ElementsAre("noticed the server refuses the connection",
                                 "noticed the certificate of the server is not meant for a server",
                                 "noticed the client certificate of this profile has expired"));
  EXPECT_EQ(noticed_->kind, Kind::kPersistent);
}

TEST_F(OpenvpnClientTest, SaysWhatSilenceMayMean) {
  begin();
  run().state("WAIT");
  clock_.advance(std::chrono::seconds(60));
  EXPECT_FALSE(noticed_) << "nothing that is known";
  run().state("AUTH");
  clock_.advance(openvpn::kSilenceOf);
  EXPECT_THAT(noticed_.value().error, HasSubstr("breaks the TLS handshake off"));
  client_->stop();
  noticed_.reset();
  config_.lines = {{"tls-crypt", 3}};
  make();
  begin();
  run().state("WAIT");
  clock_.advance(openvpn::kSilenceOf);
  EXPECT_THAT(noticed_.value().hint, HasSubstr("'tls-crypt'"));
}

TEST_F(OpenvpnClientTest, TakesNoTimeThatALoginNeedsForSilence) {
  begin();
  run().state("AUTH");
  run().state("GET_CONFIG");
  run().state("AUTH_PENDING", "timeout 60");
  clock_.advance(std::chrono::seconds(60));
  EXPECT_FALSE(noticed_);
}

TEST_F(OpenvpnClientTest, EndsAnAttemptWithTheBestExplanation) {
  begin();
  run().print("VERIFY EKU ERROR");
  run().print("TLS Error: TLS handshake failed");
  run().state("RECONNECTING", "tls-error");
  run().hold();
  EXPECT_EQ(ended_->kind, Kind::kPeer);
  EXPECT_THAT(ended_->error, HasSubstr("not meant for a server"));
}

TEST_F(OpenvpnClientTest, EndsWithWhatNoOtherServerWillMend) {
  begin({server(1), server(2)});
  run().print("WARNING: Your certificate has expired!");
  run().state("RECONNECTING", "tls-error");
  EXPECT_EQ(ended_->kind, Kind::kPersistent);
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, ForgetsAtTheNextAttemptWhatExplainedTheLast) {
  begin();
  run().print("VERIFY EKU ERROR");
  run().hold();
  connect({server(1)});
  run().hold();
  EXPECT_THAT(ended_->error, StartsWith("no connection to"));
}

TEST_F(OpenvpnClientTest, TakesOptionsErrorsForItsOwnOnlyBeforeTheServerCanSpeak) {
  connect({server(1)});
  run().print("Options error: Unrecognized option");
  EXPECT_EQ(noticed_->kind, Kind::kSetup);
  run().exit(1 << 8);
  EXPECT_EQ(ended_->kind, Kind::kSetup);
  noticed_.reset();
  begin();
  run().print("Options error: Unrecognized option");
  EXPECT_FALSE(noticed_);
}

TEST_F(OpenvpnClientTest, LetsNoServerMakeItGiveUpForGood) {
  begin();
  run().print("Message hash algorithm 'FOO' not found");
  EXPECT_EQ(noticed_->kind, Kind::kSetup) << "ours";
  client_->stop();
  begin();
  run().state("WAIT");
  run().state("AUTH");
  run().print("Message hash algorithm 'FOO' not found");
  EXPECT_EQ(noticed_->kind, Kind::kOutside) << "pushed";
  run().exit(1 << 8);
  EXPECT_EQ(ended_->kind, Kind::kOutside);
}

TEST_F(OpenvpnClientTest, GivesUpADeviceThatItMayNotOpenHoweverLate) {
  begin();
  run().state("AUTH");
  run().print("ERROR: Cannot open TUN/TAP dev /dev/net/tun: Permission denied (errno=13)");
  EXPECT_EQ(noticed_->kind, Kind::kSetup);
}

TEST_F(OpenvpnClientTest, LeavesARefusedPasswordToThoseWhoKnowMore) {
  begin();
  run().print("AUTH: Received control message: AUTH_FAILED,CRV1:R:id:Y3Ix:Token?");
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(OpenvpnClientTest, EndsWithWhatIsNotOpenvpnsProtocol) {
  begin();
  run().refused("the VPN client reports a line of more than 16384 bytes");
  EXPECT_THAT(seen_, IsEmpty()) << "it is being killed";
  run().exit(SIGKILL);
  EXPECT_THAT(seen_, ElementsAre("ended the VPN client reports a line of more than 16384 bytes"));
}

// --- a connection ---

TEST_F(OpenvpnClientTest, TellsEachWayInWhichAConnectionEndsOnce) {
  const std::vector<std::pair<std::string, std::function<void()>>> ways = {
      {"the VPN client took the tunnel down", [this] { run().down(); }},
      {"the VPN client ended", [this] { run().lost(); }},
      {"the VPN client ended", [this] { run().exit(); }},
      {"the VPN client was killed by signal 9", [this] { run().exit(SIGKILL); }},
      {"odd", [this] { run().refused("odd"); }},
      {"the server 198.51.100.1:1194/udp stopped answering",
       [this] { run().state("RECONNECTING", "ping-restart"); }},
      {"the connection to 198.51.100.1:1194/udp ended (no reason given)",
       [this] { run().state("EXITING"); }},
  };
  for (const auto& [error, way] : ways) {
    begin_connected();
    seen_.clear();
    way();
    run().down();
    run().state("RECONNECTING", "ping-restart");
    run().hold();
    run().exit();
    EXPECT_THAT(seen_, ElementsAre("ended " + error));
    EXPECT_EQ(ended_->kind, Kind::kPassing);
    client_->stop();
  }
}

TEST_F(OpenvpnClientTest, NamesTheServerThatWasInUse) {
  begin({server(1), server(2)});
  run().up(assigned("198.51.100.2"));
  run().state("CONNECTED", "SUCCESS");
  EXPECT_EQ(endpoint_, server(2));
  run().state("RECONNECTING", "ping-restart");
  EXPECT_THAT(ended_->error, HasSubstr("198.51.100.2:1194/udp stopped"));
}

TEST_F(OpenvpnClientTest, TellsTheEndOfAConnectionBeforeItEndsTheProcess) {
  begin_connected();
  at_ended_ = [this] { EXPECT_FALSE(run().is_stopped); };
  run().exit(SIGKILL);
  EXPECT_EQ(ends(), 1);
  EXPECT_TRUE(run().is_stopped);
}

TEST_F(OpenvpnClientTest, DropsOldNewsOfAnAttemptThatIsOver) {
  begin();
  EXPECT_TRUE(client_->drop());
  begin({server(2)});
  run().hold();  // quick: the attempt has failed
  seen_.clear();
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  run().print("VERIFY EKU ERROR");
  run().need();
  EXPECT_THAT(seen_, IsEmpty());
}

// --- the same process again, or another one ---

TEST_F(OpenvpnClientTest, UsesTheProcessAgainThatIsAtItsHold) {
  begin_connected();
  run().state("RECONNECTING", "ping-restart");
  run().hold();
  EXPECT_EQ(connect({server(1)}), server(1));
  EXPECT_EQ(openvpn_.runs.size(), 1U);
  EXPECT_THAT(run().orders, ElementsAre("release", "release"));
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  EXPECT_EQ(seen_.back(), "connected 10.8.0.2/24");
}

TEST_F(OpenvpnClientTest, StartsAnotherProcessIfTheOneBeforeIsNotAtItsHold) {
  begin_connected();
  run().state("RECONNECTING", "ping-restart");
  connect({server(1)});
  EXPECT_EQ(openvpn_.runs.size(), 2U);
  EXPECT_EQ(openvpn_.running(), 1);
}

TEST_F(OpenvpnClientTest, StartsAnotherProcessIfTheServersAreOthers) {
  begin();
  run().hold();
  connect({server(2)});
  EXPECT_EQ(openvpn_.runs.size(), 2U);
  EXPECT_TRUE(openvpn_.runs.front()->is_stopped);
  EXPECT_THAT(run().servers, ElementsAre(server(2)));
}

TEST_F(OpenvpnClientTest, StartsAnotherProcessIfTheOneBeforeWouldSendAOneTimePasswordAgain) {
  for (const bool has_token : {false, true}) {
    connect({server(1)});
    const auto before = openvpn_.runs.size();
    run().need("Auth", openvpn::static_challenge("1,PIN"));
    answer("foo", "bar", "123");
    run().hold();
    if (has_token) {
      run().token();
    }
    run().up(assigned());
    run().state("CONNECTED", "SUCCESS");
    run().down();
    run().hold();
    connect({server(1)});
    EXPECT_EQ(openvpn_.runs.size(), has_token ? before : before + 1);
    client_->stop();
  }
}

TEST_F(OpenvpnClientTest, KeepsAStoppedProcessUntilTheEventThatItIsInHasReturned) {
  begin_connected();
  run().exit();
  EXPECT_TRUE(run().is_stopped);
  EXPECT_FALSE(run().is_gone);
  clock_.turn();
  EXPECT_TRUE(run().is_gone);
}

TEST_F(OpenvpnClientTest, ConnectsAnewFromWithinTheEventThatTellsTheEnd) {
  begin_connected();
  at_ended_ = [this] {
    at_ended_ = nullptr;
    client_->connect({server(1)});
  };
  run().exit(SIGKILL);
  EXPECT_EQ(openvpn_.runs.size(), 2U);
  EXPECT_EQ(openvpn_.running(), 1);
  run().hold();
  EXPECT_THAT(run().orders, ElementsAre("release"));
}

// --- the order of the servers ---

TEST_F(OpenvpnClientTest, BeginsEachProcessWithTheNextServer) {
  const std::vector<Endpoint> servers = {server(1), server(2), server(3)};
  std::vector<Endpoint> firsts;
  for (int i = 0; i < 4; ++i) {
    firsts.push_back(*connect(servers));
    EXPECT_EQ(run().servers.front(), firsts.back());
    EXPECT_THAT(run().servers, UnorderedElementsAreArray(servers));
    run().exit();
  }
  EXPECT_THAT(firsts, ElementsAre(server(1), server(2), server(3), server(1)));
}

TEST_F(OpenvpnClientTest, BeginsWithTheFirstServerAgainAfterAConnection) {
  const std::vector<Endpoint> servers = {server(1), server(2), server(3)};
  connect(servers);
  run().exit();
  begin_connected(servers);
  run().exit();
  EXPECT_EQ(connect(servers), server(1));
}

TEST_F(OpenvpnClientTest, TakesTheNextServerIfWhatOneAssignedWillNotDo) {
  const std::vector<Endpoint> servers = {server(1), server(2)};
  at_connected_ = [this] { client_->stop(); };
  begin_connected(servers);
  EXPECT_EQ(openvpn_.running(), 0);
  EXPECT_EQ(connect(servers), server(2));
}

TEST_F(OpenvpnClientTest, ShufflesTheServersIfTheConfigurationSaysSo) {
  config_.remote_random = true;
  make();
  const std::vector<Endpoint> servers = {server(1), server(2), server(3), server(4)};
  std::set<std::string> orders;
  for (int i = 0; i < 200; ++i) {
    const auto first = connect(servers);
    EXPECT_EQ(first, run().servers.front());
    EXPECT_THAT(run().servers, UnorderedElementsAreArray(servers));
    std::string order;
    for (const auto& one : run().servers) {
      order += one.str();
    }
    orders.insert(order);
    client_->stop();
  }
  EXPECT_GT(orders.size(), 5U) << "more than rotation has";
}

TEST_F(OpenvpnClientTest, KeepsTheOrderOfAServerThatWaitsForAnAnswer) {
  const std::vector<Endpoint> servers = {server(1), server(2)};
  connect(servers);
  run().exit();
  connect(servers);
  run().need();
  answer("foo", "bar");
  run().hold();
  run().rejected("Auth", kChallenge);
  run().state("EXITING", "auth-failure");
  EXPECT_EQ(ended_->kind, Kind::kChallenge);
  EXPECT_EQ(openvpn_.running(), 0);
  client_->stop();
  EXPECT_EQ(connect(servers), server(2)) << "it alone may know its challenge";
  run().need();
  EXPECT_EQ(question_->challenge, "Token?");
  answer("", "", "123");
  EXPECT_THAT(run().orders, ElementsAre("answer Auth cr1 CRV1::id::123"));
}

// --- credentials ---

TEST_F(OpenvpnClientTest, AsksAPersonAndPassesTheAnswerOn) {
  connect({server(1)});
  run().need();
  EXPECT_THAT(seen_, ElementsAre("asks user name and password for 'work'"));
  answer("foo", "bar");
  EXPECT_THAT(run().orders, ElementsAre("answer Auth foo bar"));
  EXPECT_EQ(seen_.size(), 1U) << "who answered knows";
  EXPECT_THROW(answer("foo", "bar"), Error) << "no longer asked";
}

TEST_F(OpenvpnClientTest, TakesAnotherAnswerIfTheFirstWillNotDo) {
  connect({server(1)});
  run().need();
  EXPECT_THROW(answer("", "bar"), Error);
  EXPECT_THROW(answer("foo", "bar\n"), Error);
  EXPECT_THAT(run().orders, IsEmpty());
  ControlRequest other;
  other.question_id = question_->id + 1;
  EXPECT_THROW(client_->answer(other), Error);
  answer("foo", "bar");
  EXPECT_EQ(run().orders.size(), 1U);
}

TEST_F(OpenvpnClientTest, WaitsForAPersonForAsLongAsItTakes) {
  connect({server(1)});
  run().need();
  clock_.advance(std::chrono::hours(24));
  answer("foo", "bar");
  run().hold();
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  EXPECT_EQ(ends(), 0);
}

TEST_F(OpenvpnClientTest, AsksNoMoreWhenWhatAskedIsGone) {
  connect({server(1)});
  run().need();
  run().exit();
  EXPECT_THAT(seen_, ElementsAre(StartsWith("asks user"),
                                 "ended the VPN client ended before it was connected"));
  ControlRequest late;
  EXPECT_THROW(client_->answer(late), Error);
}

TEST_F(OpenvpnClientTest, AsksWhileConnectedAndStaysConnected) {
  begin_connected();
  run().need();
  EXPECT_EQ(seen_.back(), "asks user name and password for 'work'");
  answer("foo", "bar");
  EXPECT_EQ(run().orders.back(), "answer Auth foo bar");
  EXPECT_EQ(ends(), 0);
}

TEST_F(OpenvpnClientTest, TellsTheEndOfAConnectionBeforeThatItAsksNoMore) {
  for (const bool is_gone : {false, true}) {
    begin_connected();
    run().need();
    seen_.clear();
    is_gone ? run().exit() : run().state("RECONNECTING", "ping-restart");
    EXPECT_THAT(seen_, ElementsAre(StartsWith("ended ")));
    EXPECT_THROW(client_->answer(ControlRequest()), Error);
  }
}

TEST_F(OpenvpnClientTest, TellsNothingMoreToWhoeverStopsItWhenAQuestionIsTakenBack) {
  begin();
  run().need();
  seen_.clear();
  at_asked_no_more_ = [this] { client_->stop(); };
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  EXPECT_THAT(seen_, ElementsAre("asks no more"));
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, EndsAProcessThatAsksWithoutEnd) {
  connect({server(1)});
  std::size_t asked = 0;
  while (openvpn_.running() == 1 && asked < 100) {
    run().need();
    ++asked;
  }
  EXPECT_EQ(asked, OpenvpnClient::kQuestionsMax + 1);
  EXPECT_THAT(ended_->error, HasSubstr("without end"));
  EXPECT_EQ(ended_->kind, Kind::kPassing);
}

TEST_F(OpenvpnClientTest, AnswersAsManyQuestionsAsTimeAllows) {
  connect({server(1)});
  for (int i = 0; i < 100; ++i) {
    run().need();
    clock_.advance(OpenvpnClient::kQuestionTime / OpenvpnClient::kQuestionsMax);
  }
  EXPECT_EQ(ends(), 0);
}

TEST_F(OpenvpnClientTest, GivesUpAnAnswerOfAPersonThatIsRefused) {
  connect({server(1)});
  run().need();
  answer("foo", "bar");
  run().hold();
  run().rejected();
  EXPECT_EQ(ends(), 0);
  run().state("EXITING", "auth-failure");
  EXPECT_EQ(ended_->kind, Kind::kAnswer);
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, GoesOnTryingWhenItIsRefusedWhatWasGoodBefore) {
  connect({server(1)});
  run().need();
  answer("foo", "bar");
  run().hold();
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  run().rejected();
  run().state("RECONNECTING", "auth-failure");
  EXPECT_TRUE(is_passing(*ended_));
  EXPECT_THAT(ended_->error, HasSubstr("refuses the user name or password"));
}

TEST_F(OpenvpnClientTest, GivesNoAttemptAtOnceToAServerThatLetsInAndThenAsks) {
  begin_connected();
  run().rejected("Auth", kChallenge);
  run().state("EXITING", "auth-failure");
  EXPECT_EQ(ended_->kind, Kind::kPassing);
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, EndsAtOnceWhenThePassphraseIsWrong) {
  connect({server(1)});
  run().need("Private Key");
  EXPECT_EQ(question_->text, "passphrase of the private key for 'work'");
  answer("", "wrong");
  run().rejected("Private Key");
  EXPECT_THAT(ended_->error, HasSubstr("passphrase of the private key is wrong"));
  EXPECT_EQ(ended_->kind, Kind::kAnswer);
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, GoesOnAfterTheServersOwnReasonsWithWhatWasTyped) {
  connect({server(1), server(2)});
  run().need();
  answer("foo", "bar");
  run().hold();
  seen_.clear();
  run().rejected("Auth", "[TOO_MANY] in use on all devices");
  run().state("RECONNECTING", "auth-failure");
  EXPECT_THAT(
      seen_,
      ElementsAre("noticed the server refuses this client: [TOO_MANY] in use on all devices"))
      << "at once, while the attempt is not over yet";
  run().hold(10);
  EXPECT_EQ(ended_->kind, Kind::kOutside);
  EXPECT_EQ(openvpn_.running(), 1);
  EXPECT_EQ(connect({server(1), server(2)}), server(2));
  EXPECT_EQ(openvpn_.runs.size(), 1U) << "nobody is asked again";
  EXPECT_EQ(run().orders.back(), "release");
  seen_.clear();
  run().state("RESOLVE");
  EXPECT_EQ(run().orders.back(), "release") << "at its hold it would not listen";
  run().state("WAIT");
  EXPECT_EQ(run().orders.back(), "reconnect") << "not to the one that has just refused it";
  run().state("RECONNECTING", "SIGUSR1");
  run().hold(10);
  EXPECT_EQ(run().orders.back(), "release");
  run().state("WAIT");
  EXPECT_EQ(run().orders.back(), "release") << "the next one has its turn";
  EXPECT_THAT(seen_, IsEmpty()) << "nothing of that is a failure";
  run().up(assigned());
  run().state("CONNECTED", "SUCCESS");
  EXPECT_EQ(seen_.back(), "connected 10.8.0.2/24");
}

TEST_F(OpenvpnClientTest, StaysWithAServerThatAsksForItOrIsTheOnlyOne) {
  for (const auto& [servers, reason] :
       {std::pair{std::vector{server(1)}, "full"},
        {std::vector{server(1), server(2)}, "TEMP[advance no]:full"}}) {
    make();
    connect(servers);
    run().need();
    answer("foo", "bar");
    run().hold();
    run().rejected("Auth", reason);
    run().state("RECONNECTING", "auth-failure");
    run().hold(10);
    connect(servers);
    run().state("WAIT");
    EXPECT_EQ(run().orders.back(), "release");
  }
}

TEST_F(OpenvpnClientTest, GivesUpAServerThatIsSilentWhateverItMadeOpenvpnBelieve) {
  using std::chrono::seconds;
  config_.lines = {{"client", 1}};
  make();
  begin_connected();
  for (std::uint64_t bytes = 1; bytes < 5; ++bytes) {
    clock_.advance(seconds(openvpn::kSilenceEnd - 1));
    run().bytes(bytes);
  }
  clock_.advance(seconds(openvpn::kSilenceEnd / 2));
  run().bytes(4);
  EXPECT_EQ(ends(), 0) << "as long as anything comes";
  clock_.advance(seconds(openvpn::kSilenceEnd / 2));
  EXPECT_EQ(ended_->error, "the server 198.51.100.1:1194/udp stopped answering");
  EXPECT_EQ(run().orders.back(), "reconnect");
  EXPECT_EQ(openvpn_.running(), 1) << "with what somebody typed";
  clock_.advance(seconds(openvpn::kSilenceEnd));
  EXPECT_EQ(ends(), 1);
}

TEST_F(OpenvpnClientTest, DoesNotWaitForAPeerThatMayHaveNothingToSay) {
  config_.lines = {{"secret", 1}};
  make();
  begin_connected();
  clock_.advance(std::chrono::hours(24));
  EXPECT_EQ(ends(), 0);
}

TEST_F(OpenvpnClientTest, WaitsForAsLongAsTheServerAsks) {
  begin();
  run().rejected("Auth", "TEMP[backoff 42,advance no]:busy");
  run().state("RECONNECTING", "auth-temp-failure (server temporary reject)");
  run().hold(10);
  EXPECT_EQ(ended_->retry_after, std::chrono::seconds(42));
  EXPECT_THAT(ended_->error, HasSubstr("refuses for now: busy"));
}

TEST_F(OpenvpnClientTest, WaitsForAsLongAsOpenvpnAsks) {
  for (const auto& [wait, asked] : {std::pair{0U, 0}, {10U, 0}, {5U, 5}, {40U, 40}}) {
    begin();
    run().hold(wait);
    EXPECT_EQ(ended_->retry_after, std::chrono::seconds(asked)) << "10 is what it always says";
    client_->stop();
  }
}

TEST_F(OpenvpnClientTest, TakesAnotherServerIfOneRefusesUnlessThatForbidsIt) {
  const std::vector<Endpoint> servers = {server(1), server(2)};
  for (const auto& [reason, next] :
       {std::pair{"full", 2}, {"TEMP:full", 2}, {"TEMP[advance no]:full", 1}}) {
    client_->stop();
    make();
    begin(servers);
    run().rejected("Auth", reason);
    run().state("RECONNECTING", "auth-failure");
    run().hold(10);
    EXPECT_EQ(ended_->kind, Kind::kOutside);
    EXPECT_EQ(connect(servers), server(next)) << reason;
  }
}

TEST_F(OpenvpnClientTest, GoesOnToTheNextServerIfTheOneThatRefusesSaysSo) {
  begin({server(1), server(2)});
  run().rejected("Auth", "TEMP[advance remote]:full");
  run().state("RECONNECTING", "auth-temp-failure (server temporary reject)");
  run().hold(10);
  EXPECT_EQ(ends(), 0);
  EXPECT_EQ(run().orders.size(), 2U) << "OpenVPN takes the next one itself";
}

TEST_F(OpenvpnClientTest, TellsWhatTheServerSaysAsItSendsTheClientAway) {
  begin_connected();
  run().print("Halt command was pushed by server ('maintenance')");
  run().state("EXITING", "server-pushed-halt");
  EXPECT_EQ(ended_->error, "the server sends the client away: maintenance");
}

TEST_F(OpenvpnClientTest, TellsInOpenvpnsWordsWhyItEnded) {
  begin();
  run().fatal("no idea");
  run().exit(1 << 8);
  EXPECT_EQ(ended_->error, "the VPN client ended before it was connected: no idea");
}

TEST_F(OpenvpnClientTest, NamesTheLineOfTheFile) {
  config_.lines = {{"hand-window", 8}, {"data-ciphers", 9}};
  files_.place.configuration = "work.ovpn";
  for (const auto& [line, start] :
       {std::pair{
            "Options error: Unrecognized option or missing or extra parameter(s) in stdin:27: "
            "hand-window (2.6.14)",
            "work.ovpn:8: "},
        {"Unsupported cipher in --data-ciphers: BF-CBC", "work.ovpn:9: "},
        {"Options error: --tls-auth and --tls-crypt are mutually exclusive", "OpenVPN rejects"}}) {
    make();
    connect({server(1)});
    run().print(line);
    run().exit(1 << 8);
    EXPECT_THAT(ended_->error, StartsWith(start));
  }
}

// --- log-ins that are made elsewhere ---

TEST_F(OpenvpnClientTest, TellsTheLinkOfALogin) {
  begin();
  run().state("AUTH_PENDING", "timeout 120");
  run().info("WEB_AUTH::https://login.example/?id=42");
  ASSERT_EQ(logins_.size(), 2U);
  EXPECT_EQ(logins_[0].url, "");
  EXPECT_EQ(logins_[1].url, "https://login.example/?id=42");
  EXPECT_EQ(logins_[1].patience, std::chrono::seconds(120));
}

TEST_F(OpenvpnClientTest, TellsNoLinkThatMayNotBeShown) {
  begin();
  run().info("WEB_AUTH::https://good@evil.example/");
  ASSERT_EQ(logins_.size(), 1U);
  EXPECT_EQ(logins_[0].url, "");
  EXPECT_THAT(logins_[0].what, HasSubstr("browser"));
}

TEST_F(OpenvpnClientTest, SaysNothingLessOnceTheServerHasSaidWhatItWaitsFor) {
  begin();
  run().info("CR_TEXT::confirm it on your phone");
  run().state("AUTH_PENDING", "timeout 120");
  ASSERT_EQ(logins_.size(), 2U);
  EXPECT_EQ(logins_[1].what, "a confirmation: confirm it on your phone");
  EXPECT_EQ(logins_[1].patience, std::chrono::seconds(120));
  begin();
  run().state("AUTH_PENDING", "timeout 120");
  EXPECT_EQ(logins_.back().what, "a confirmation that is made elsewhere") << "another attempt";
}

TEST_F(OpenvpnClientTest, WaitsForALoginNoLongerThanTenMinutes) {
  begin();
  run().state("AUTH_PENDING", "timeout 4000000000");
  EXPECT_EQ(logins_.at(0).patience, std::chrono::seconds(600));
  run().state("AUTH_PENDING", "");
  EXPECT_EQ(logins_.at(1).patience, std::chrono::seconds(60));
}

TEST_F(OpenvpnClientTest, AsksAPersonWhatTheServerAsks) {
  begin();
  run().info("CR_TEXT:R,E:Your code?");
  ASSERT_TRUE(question_);
  EXPECT_TRUE(question_->wants_response && question_->echo);
  EXPECT_FALSE(question_->wants_password || question_->wants_user_name);
  EXPECT_EQ(question_->challenge, "Your code?");
  answer("", "", "123");
  EXPECT_EQ(run().orders.back(), "respond 123");
}

TEST_F(OpenvpnClientTest, EndsAProcessThatWantsLoginsWithoutEnd) {
  begin();
  for (int i = 0; i < 100 && openvpn_.running() == 1; ++i) {
    run().info("WEB_AUTH::https://login.example/" + std::to_string(i));
  }
  EXPECT_EQ(logins_.size(), OpenvpnClient::kQuestionsMax);
  EXPECT_EQ(ended_->kind, Kind::kPassing);
}

TEST_F(OpenvpnClientTest, EndsAProcessThatWaitsForLoginsWithoutEnd) {
  begin();
  for (int i = 0; i < 100 && openvpn_.running() == 1; ++i) {
    run().state("AUTH_PENDING", "timeout " + std::to_string(60 + i));
  }
  EXPECT_EQ(logins_.size(), OpenvpnClient::kQuestionsMax);
  EXPECT_EQ(openvpn_.running(), 0);
  EXPECT_EQ(ended_->kind, Kind::kPassing);
}

TEST_F(OpenvpnClientTest, LogsNothingThatAPersonHasTyped) {
  begin();
  testing::internal::CaptureStderr();
  spdlog::drop_all();
  log::set_up(log::Level::kDebug);
  run().print(R"(MANAGEMENT: CMD 'username "Auth" "subscriber"')");
  run().print("MANAGEMENT: CMD 'cr-response NDcxMQ=='");
  run().print("SENT CONTROL [server]: 'CR_RESPONSE,NDcxMQ==' (status=1)");
  run().print("AUTH: Received control message: AUTH_FAILED,CRV1:R:id:c3Vic2NyaWJlcg==:Code?");
  run().print(
      "PUSH: Received control message: 'PUSH_REPLY,ping 1,auth-token-user c3Vic2NyaWJlcg=='");
  run().print("VERIFY OK: depth=0, CN=server");
  const std::string text = testing::internal::GetCapturedStderr();
  spdlog::drop_all();
  log::set_up(log::Level::kInfo);
  for (const char* secret : {"subscriber", "NDcxMQ", "c3Vic2NyaWJlcg"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  }
  for (const char* shown : {"VERIFY OK", "PUSH_REPLY,ping 1", "AUTH_FAILED"}) {
    EXPECT_NE(text.find(shown), std::string::npos) << "control: " << shown;
  }
}

TEST_F(OpenvpnClientTest, AsksAgainForThePassphraseOfAPkcs12File) {
  give_passphrase(
      {"OpenSSL: error:11800071:PKCS12 routines::mac verify failure:",
       "Decoding PKCS12 failed. Probably wrong password or unsupported/legacy encryption"});
  EXPECT_THAT(ended_->error, HasSubstr("passphrase of the private key is wrong"));
  EXPECT_EQ(ended_->kind, Kind::kAnswer);
}

TEST_F(OpenvpnClientTest, AsksAgainForAPassphraseThatDecryptsTheKeyToSomethingElse) {
  give_passphrase({"OpenSSL: error:11800065:PKCS12 routines::decode error:",
                   "Cannot load private key file [[INLINE]]"});
  EXPECT_THAT(ended_->error, HasSubstr("passphrase of the private key is wrong"));
  EXPECT_EQ(ended_->kind, Kind::kAnswer);
}

TEST_F(OpenvpnClientTest, AsksForNoPassphraseAgainWhenTheKeyIsAnothers) {
  give_passphrase({"OpenSSL: error:05800074:x509 certificate routines::key values mismatch:",
                   "Cannot load private key file [[INLINE]]"});
  EXPECT_THAT(noticed_->error, HasSubstr("do not belong together"));
  EXPECT_FALSE(ended_);
}

TEST_F(OpenvpnClientTest, GoesBackToThePasswordWhenATokenIsRefused) {
  begin_connected();
  run().token();
  run().rejected();
  run().state("RECONNECTING", "auth-failure");
  EXPECT_THAT(ended_->error, HasSubstr("its own token"));
  EXPECT_EQ(ended_->kind, Kind::kPassing);
  run().hold();
  connect({server(1)});
  EXPECT_EQ(openvpn_.runs.size(), 1U) << "it has the password";
}

TEST_F(OpenvpnClientTest, AnAttemptGoesOnWhenATokenIsRefused) {
  begin_connected();
  run().token();
  run().down();
  run().hold();
  connect({server(1), server(2)});
  begin({server(1), server(2)});
  run().token();
  seen_.clear();
  run().rejected();
  run().state("RECONNECTING", "auth-failure");
  EXPECT_THAT(seen_, IsEmpty());
  run().hold();
  EXPECT_THAT(seen_, IsEmpty());
}

class OpenvpnClientWithFile : public OpenvpnClientTest {
 protected:
  void write(const std::string& text) {
    const std::string path = (folder_ / "auth").string();
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    files_.profile_file = path;
    make();
  }
  test::ScratchFolder folder_;
};

TEST_F(OpenvpnClientWithFile, AnswersOutOfAFileWithoutAsking) {
  write("foo\nbar\n");
  connect({server(1)});
  run().need();
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_THAT(run().orders, ElementsAre("answer Auth foo bar"));
  run().rejected();
  run().state("EXITING", "auth-failure");
  EXPECT_EQ(ended_->kind, Kind::kCredentials) << "nobody can type better ones";
}

TEST_F(OpenvpnClientWithFile, EndsWithAFileThatCannotBeUsed) {
  for (const bool connected : {false, true}) {
    write("foo\n");
    connected ? (void)begin_connected() : (void)connect({server(1)});
    run().need();
    EXPECT_EQ(ended_->kind, Kind::kSetup);
    EXPECT_THAT(ended_->error, HasSubstr("auth"));
    EXPECT_EQ(openvpn_.running(), 0);
  }
}

TEST_F(OpenvpnClientWithFile, EndsWithAPasswordThatOpenvpnDoesNotTake) {
  write("foo\nb\tar\n");
  connect({server(1)});
  run().need();
  EXPECT_EQ(ended_->kind, Kind::kSetup);
  EXPECT_THAT(ended_->error, HasSubstr("control character"));
}

// --- drop, stop, forget ---

TEST_F(OpenvpnClientTest, DropsAConnectionAndKeepsTheProcess) {
  begin_connected();
  seen_.clear();
  EXPECT_TRUE(client_->drop());
  EXPECT_EQ(run().orders.back(), "reconnect");
  run().state("RECONNECTING", "SIGUSR1");
  run().down();
  run().hold();
  EXPECT_THAT(seen_, IsEmpty());
  connect({server(1)});
  EXPECT_EQ(openvpn_.runs.size(), 1U);
  EXPECT_EQ(run().orders.back(), "release");
}

TEST_F(OpenvpnClientTest, DropsAnAttemptByEndingIt) {
  begin();
  EXPECT_TRUE(client_->drop());
  EXPECT_EQ(openvpn_.running(), 0);
  EXPECT_TRUE(client_->drop());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(OpenvpnClientTest, DropsNothingOfAProcessThatWaitsAtItsHold) {
  begin_connected();
  run().down();
  run().hold();
  EXPECT_TRUE(client_->drop());
  EXPECT_THAT(run().orders, ElementsAre("release"));
  EXPECT_FALSE(run().is_stopped);
}

TEST_F(OpenvpnClientTest, StopsInEachPhaseWithoutAWord) {
  client_->stop();
  connect({server(1)});
  client_->stop();
  begin_connected();
  seen_.clear();
  client_->stop();
  begin_connected();
  run().down();
  seen_.clear();
  client_->stop();
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(openvpn_.running(), 0);
}

TEST_F(OpenvpnClientTest, KeepsWhatTheServerAskedForUntilItIsToForget) {
  for (const bool forgets : {false, true}) {
    connect({server(1)});
    run().need();
    answer("foo", "bar");
    run().rejected("Auth", kChallenge);
    run().state("EXITING", "auth-failure");
    forgets ? client_->forget() : client_->stop();
    connect({server(1)});
    run().need();
    EXPECT_EQ(question_->challenge, forgets ? "" : "Token?");
    EXPECT_EQ(question_->wants_password, forgets);
    client_->forget();
  }
}

TEST_F(OpenvpnClientTest, EndsTheProcessBeforeTheDeviceGoes) {
  bool had_ended = false;
  std::shared_ptr<void> device(nullptr, [&](void*) { had_ended = openvpn_.running() == 0; });
  client_ = std::make_unique<OpenvpnClient>(clock_, files_, config_, openvpn_.starter(),
                                            std::move(device), TunnelEvents());
  client_->connect({server(1)});
  EXPECT_EQ(openvpn_.running(), 1);
  client_.reset();
  EXPECT_TRUE(had_ended);
  EXPECT_EQ(clock_.pending(), 0U);
}

}  // namespace
}  // namespace vpnrun::service
