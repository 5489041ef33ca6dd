// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/endpoints.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systemd/service/settings_check.h"
#include "tests/fakes/session_fakes.h"

namespace vpnrun::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}

class EndpointsTest : public testing::Test {
 protected:
  Endpoints::Found choose() { return choose_endpoints(servers_, result_, link_); }

  Journal journal_;
  FakeLink link_{journal_, {}};
  std::vector<profile::Remote> servers_ = {{"a.example", 1194, Transport::kUdp},
                                           {"b.example", 443, Transport::kTcp}};
  NameLookup::Result result_;
};

TEST_F(EndpointsTest, KeepTheServersOrderAndTheirPorts) {
  result_.addresses["b.example"] = {ip("192.0.2.2")};
  result_.addresses["a.example"] = {ip("192.0.2.1"), ip("192.0.2.3")};
  const auto found = choose();
  ASSERT_THAT(found.endpoints, SizeIs(3));
  EXPECT_EQ(found.endpoints[0].str(), "192.0.2.1:1194/udp");
  EXPECT_EQ(found.endpoints[1].str(), "192.0.2.3:1194/udp");
  EXPECT_EQ(found.endpoints[2].str(), "192.0.2.2:443/tcp");
  EXPECT_FALSE(found.failure);
}

TEST_F(EndpointsTest, NameEachOnce) {
  servers_ = {{"a.example", 1194, Transport::kUdp}, {"b.example", 1194, Transport::kUdp}};
  result_.addresses["a.example"] = {ip("192.0.2.1")};
  result_.addresses["b.example"] = {ip("192.0.2.1")};
  EXPECT_THAT(choose().endpoints, SizeIs(1));
}

TEST_F(EndpointsTest, AreAllThatAProviderHas) {
  for (int i = 0; i < 2000; ++i) {
    result_.addresses["a.example"].push_back(
        ip("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
  }
  EXPECT_THAT(choose().endpoints, SizeIs(Endpoints::kMost));
  result_.addresses["a.example"].resize(60);
  EXPECT_THAT(choose().endpoints, SizeIs(60));
}

TEST_F(EndpointsTest, OfANameThatHasIpv6OnlySaySo) {
  servers_ = {{"six.example", 1194, Transport::kUdp}};
  result_.addresses["six.example"] = {ip("2001:db8::1")};
  link_.unusable["2001:db8::1"] = {"2001:db8::1 is an IPv6 address", "name one by IPv4"};
  const auto found = choose();
  ASSERT_TRUE(found.failure);
  EXPECT_EQ(found.failure->kind, Failure::Kind::kPassing);
  EXPECT_EQ(found.failure->error,
            "the name 'six.example' has IPv6 addresses only, such as 2001:db8::1, which the link "
            "to the server cannot carry");
}

TEST_F(EndpointsTest, AreLookedUpBelowARandomLabelIfTheConfigurationSaysSo) {
  servers_ = {{"cvpn.example", 443, Transport::kUdp, true},
              {"cvpn.example", 443, Transport::kTcp, true},
              {"192.0.2.1", 443, Transport::kUdp, true},
              {"b.example", 443, Transport::kTcp}};
  int labels = 0;
  const auto names =
      names_to_look_up(servers_, [&labels] { return "00000000000" + std::to_string(++labels); });
  EXPECT_EQ(names,
            (std::map<std::string, std::string>{{"000000000001.cvpn.example", "cvpn.example"},
                                                {"192.0.2.1", "192.0.2.1"},
                                                {"b.example", "b.example"}}));
}

/// Answers for whatever name it is asked.
class Echo : public NameLookup {
 public:
  void look_up(const std::vector<std::string>& names, Callback callback) override {
    asked = names;
    Result result;
    for (const std::string& name : names) {
      result.addresses[name] = {ip("192.0.2.1")};
    }
    callback(result);
  }
  void cancel() noexcept override {}
  std::vector<std::string> asked;
};

TEST_F(EndpointsTest, TakeADifferentLabelForEachLookup) {
  servers_ = {{"cvpn.example", 443, Transport::kUdp, true}};
  Echo echo;
  Endpoints endpoints(echo);
  std::set<std::string> seen;
  for (int i = 0; i < 5; ++i) {
    endpoints.find(servers_, link_, [](const Endpoints::Found& found) {
      ASSERT_THAT(found.endpoints, SizeIs(1));
      EXPECT_EQ(found.endpoints.front().str(), "192.0.2.1:443/udp");
    });
    ASSERT_THAT(echo.asked, SizeIs(1));
    EXPECT_THAT(echo.asked.front(), ::testing::MatchesRegex("[0-9a-f]+\\.cvpn\\.example"));
    EXPECT_EQ(echo.asked.front().find('.'), 12U);
    seen.insert(echo.asked.front());
  }
  EXPECT_GT(seen.size(), 1U);
}

TEST_F(EndpointsTest, OfANameWithALabelSayHowToLookItUp) {
  servers_ = {{"cvpn.example", 443, Transport::kUdp, true}};
  result_.errors["cvpn.example"] = "Name or service not known";
  EXPECT_THAT(choose().failure->hint, HasSubstr("getent ahostsv4 x.cvpn.example"));
}

TEST_F(EndpointsTest, WithoutAnAnswerSayWhichNameAndWhy) {
  result_.errors["b.example"] = "Name or service not known";
  result_.errors["a.example"] = "Temporary failure in name resolution";
  const auto found = choose();
  EXPECT_THAT(found.endpoints, IsEmpty());
  ASSERT_TRUE(found.failure);
  EXPECT_EQ(found.failure->kind, Failure::Kind::kPassing);
  EXPECT_THAT(found.failure->error, HasSubstr("'a.example': Temporary failure"));
}

TEST_F(EndpointsTest, ANameThatIsBlockedIsAPassingFailureWithTheRemedy) {
  result_.addresses["a.example"] = {ip("0.0.0.0")};
  link_.unusable["0.0.0.0"] = {"0.0.0.0 is not a server's address", "", true};
  const auto found = choose();
  ASSERT_TRUE(found.failure);
  EXPECT_EQ(found.failure->kind, Failure::Kind::kPassing);
  EXPECT_THAT(found.failure->error, HasSubstr("the name 'a.example' does not lead to a server"));
  EXPECT_THAT(found.failure->hint, HasSubstr("a DNS filter"));
}

TEST_F(EndpointsTest, AnAddressInTheConfigurationThatCanNeverBeReachedIsFinal) {
  servers_ = {{"127.0.0.1", 1194, Transport::kUdp}};
  result_.addresses["127.0.0.1"] = {ip("127.0.0.1")};
  link_.unusable["127.0.0.1"] = {"127.0.0.1 is a loopback address", "", false, true};
  EXPECT_EQ(choose().failure->kind, Failure::Kind::kSetup);
}

TEST_F(EndpointsTest, AnAddressThatTheMachinesNetworkForbidsNowIsNotFinal) {
  servers_ = {{"192.0.2.255", 1194, Transport::kUdp}};
  result_.addresses["192.0.2.255"] = {ip("192.0.2.255")};
  link_.unusable["192.0.2.255"] = {"192.0.2.255 is a broadcast address", "", false, false};
  EXPECT_EQ(choose().failure->kind, Failure::Kind::kPassing);
}

TEST_F(EndpointsTest, OfSeveralReasonsTheOneThatTimeMayMendIsTold) {
  servers_ = {{"127.0.0.1", 1194, Transport::kUdp}, {"b.example", 443, Transport::kTcp}};
  result_.addresses["127.0.0.1"] = {ip("127.0.0.1")};
  result_.addresses["b.example"] = {ip("0.0.0.0")};
  link_.unusable["127.0.0.1"] = {"127.0.0.1 is a loopback address", "", false, true};
  link_.unusable["0.0.0.0"] = {"0.0.0.0 is not a server's address", "", true};
  EXPECT_THAT(choose().failure->error, HasSubstr("b.example"));
}

TEST_F(EndpointsTest, ANameWithoutAnAnswerIsWaitedForThoughAnotherCanNeverBeReached) {
  servers_ = {{"127.0.0.1", 1194, Transport::kUdp}, {"b.example", 443, Transport::kTcp}};
  result_.addresses["127.0.0.1"] = {ip("127.0.0.1")};
  result_.errors["b.example"] = "Temporary failure in name resolution";
  link_.unusable["127.0.0.1"] = {"127.0.0.1 is a loopback address", "", false, true};
  EXPECT_THAT(choose().failure->error, HasSubstr("cannot resolve the server's name 'b.example'"));
}

TEST_F(EndpointsTest, OthersThatAreLeftOutAreSaid) {
  result_.addresses["a.example"] = {ip("0.0.0.0")};
  result_.addresses["b.example"] = {ip("192.0.2.2")};
  link_.unusable["0.0.0.0"] = {"0.0.0.0 is not a server's address", "", true};
  const auto found = choose();
  EXPECT_THAT(found.endpoints, SizeIs(1));
  EXPECT_TRUE(found.failure);
}

// --- what the server assigns ---

class SettingsCheck : public testing::TestWithParam<const char*> {};

TEST_P(SettingsCheck, RefusesWhatIsNobodysOwnAddress) {
  TunnelSettings settings;
  settings.addresses = {*Prefix::parse(GetParam())};
  const LinkAddresses link{"vr-work", ip("198.18.0.1"), ip("198.18.0.2")};
  const Endpoint endpoint{ip("192.0.2.1"), Transport::kUdp, 1194};
  EXPECT_THROW(check_settings(settings, link, {endpoint}), Error);
}

INSTANTIATE_TEST_SUITE_P(All, SettingsCheck,
                         testing::Values("127.0.0.2/8", "0.0.0.0/32", "224.0.0.1/32",
                                         "255.255.255.255/32", "240.0.0.1/32", "10.8.0.2/0",
                                         "192.0.2.1/24", "198.18.0.2/32", "198.18.0.1/32",
                                         "198.18.0.77/24", "::1/128", "::/64", "ff02::1/64",
                                         "fd00::1/0"));

TEST(SettingsOfAServer, TakeAPrivateAddressOfEachFamily) {
  TunnelSettings settings;
  settings.addresses = {*Prefix::parse("10.8.0.2/24"), *Prefix::parse("fd00:8::1000/64")};
  const LinkAddresses link{"vr-work", ip("198.18.0.1"), ip("198.18.0.2")};
  EXPECT_NO_THROW(check_settings(settings, link, {}));
  EXPECT_NO_THROW(check_settings(settings, std::nullopt, {}));
  EXPECT_NO_THROW(check_settings({}, std::nullopt, {}));
}

}  // namespace
}  // namespace vpnrun::service
