// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/management.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/pushed_dns.h"

namespace vpnrun::service::openvpn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class Value>
std::vector<std::string> texts(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const Value& value : values) {
    texts.push_back(value.str());
  }
  return texts;
}

/// What the client was given.
const std::vector<Endpoint>& endpoints() {
  static const std::vector<Endpoint> endpoints = {
      {*IpAddress::parse("198.51.100.20"), Transport::kUdp, 1194},
      {*IpAddress::parse("198.51.100.10"), Transport::kTcp, 443},
      {*IpAddress::parse("198.51.100.10"), Transport::kTcp, 1194},
      {*IpAddress::parse("198.51.100.10"), Transport::kUdp, 1194}};
  return endpoints;
}

TunnelSettings settings_of(const std::map<std::string, std::string>& environment) {
  return settings_from_environment(environment, endpoints());
}

/// Writes each event down as one line.
struct Recorder {
  std::vector<std::string> lines;
  ManagementEvents events() {
    ManagementEvents events;
    events.on_hold = [this](std::uint32_t wait) { lines.push_back(formatted("hold {}", wait)); };
    events.on_bytes = [this](std::uint64_t received) {
      lines.push_back(formatted("bytes {}", received));
    };
    events.on_state = [this](std::string_view name, std::string_view detail) {
      lines.push_back(formatted("state {} {}", name, detail));
    };
    events.on_up = [this](const auto& environment) {
      lines.push_back(formatted("up {}", environment.size()));
    };
    events.on_down = [this] { lines.emplace_back("down"); };
    events.on_need_password = [this](std::string_view realm, bool user,
                                     const Challenge& challenge) {
      lines.push_back(formatted("need {} {} [{}]", realm, user, challenge.text));
    };
    events.on_password_rejected = [this](std::string_view realm, std::string_view reason) {
      lines.push_back(formatted("rejected {} [{}]", realm, reason));
    };
    events.on_auth_token = [this] { lines.emplace_back("token"); };
    events.on_fatal = [this](std::string_view text) {
      lines.push_back(formatted("fatal {}", text));
    };
    return events;
  }
};

std::vector<std::string> events_of(std::string_view bytes) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  parser.feed(bytes);
  return recorder.lines;
}

TEST(ManagementParser, ReadsHoldStateAndFatal) {
  EXPECT_THAT(
      events_of(">INFO:OpenVPN Management Interface Version 5\r\n"
                ">HOLD:Waiting for hold release:16\r\n"
                ">STATE:1795321157,CONNECTED,SUCCESS,10.8.0.2,10.1.0.2,1194,,,fd00:8::1000\n"
                ">STATE:1795321157,WAIT,,,,,,\n"
                ">FATAL:no route\n"),
      ElementsAre("hold 16", "state CONNECTED SUCCESS", "state WAIT ", "fatal no route"));
}

TEST(ManagementParser, ReadsHowMuchHasCome) {
  EXPECT_THAT(events_of(">BYTECOUNT:12345678901,5\n>BYTECOUNT:x,5\n>BYTECOUNT:-1,5\n"),
              ElementsAre("bytes 12345678901"));
}

TEST(ManagementParser, PutsLinesTogetherThatArriveInPieces) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  for (const char c : std::string_view(">STATE:1,RECONNECTING,ping-restart,,\n")) {
    parser.feed({&c, 1});
  }
  EXPECT_THAT(recorder.lines, ElementsAre("state RECONNECTING ping-restart"));
}

TEST(ManagementParser, CollectsTheEnvironmentOfAnUpAndNotThatOfADown) {
  EXPECT_THAT(events_of(">UPDOWN:UP\n>UPDOWN:ENV,tun_mtu=1\n>UPDOWN:ENV,ifconfig_local=x=y\n"
                        ">UPDOWN:ENV,END\n"
                        ">UPDOWN:DOWN\n>UPDOWN:ENV,a=1\n>UPDOWN:ENV,END\n"),
              ElementsAre("up 2", "down"));
}

TEST(ManagementParser, TellsWhatThePasswordIsFor) {
  EXPECT_THAT(events_of(">PASSWORD:Need 'Auth' username/password\n"
                        ">PASSWORD:Need 'Private Key' password\n"
                        ">PASSWORD:Need 'Auth' username/password SC:1,Please enter the PIN\n"
                        ">PASSWORD:Verification Failed: 'Auth'\n"),
              ElementsAre("need Auth true []", "need Private Key false []",
                          "need Auth true [Please enter the PIN]", "rejected Auth []"));
}

TEST(ManagementParser, PassesOnWhatTheServerSaysOfARefusal) {
  EXPECT_THAT(events_of(">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:id:Y3Ix:it's me']\n"
                        ">PASSWORD:Verification Failed: 'Auth' ['']\n"
                        ">PASSWORD:Verification Failed: 'Auth' ['\n"
                        ">PASSWORD:Verification Failed: 'Auth' [']\n"
                        ">PASSWORD:Verification Failed: 'Private Key'\n"),
              ElementsAre("rejected Auth [CRV1:R:id:Y3Ix:it's me]", "rejected Auth []",
                          "rejected Auth []", "rejected Auth []", "rejected Private Key []"));
}

TEST(ManagementParser, KeepsAuthTokensToItself) {
  EXPECT_THAT(events_of(">PASSWORD:Auth-Token:secret\n"), ElementsAre("token"));
}

TEST(ManagementParser, RefusesALineWithoutEnd) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  parser.feed(std::string(ManagementParser::kLineMax, 'x'));
  EXPECT_THROW(parser.feed("x"), Error);
}

/// What OpenVPN 2.6 reports for each route that was pushed.
std::string reported_route(int number) {
  return formatted(
      ">UPDOWN:ENV,route_network_{0}=10.{1}.{2}.0\n>UPDOWN:ENV,route_netmask_{0}=255.255.255.0\n"
      ">UPDOWN:ENV,route_gateway_{0}=10.6.0.1\n>UPDOWN:ENV,route_metric_{0}=200\n",
      number, number / 256 % 256, number % 256);
}

TEST(ManagementParser, KeepsOfThousandsOfRoutesNothing) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  parser.feed(">UPDOWN:UP\n>UPDOWN:ENV,ifconfig_local=10.6.0.2\n");
  for (int i = 1; i <= 10'000; ++i) {
    parser.feed(reported_route(i));
  }
  parser.feed(">UPDOWN:ENV,tun_mtu=1500\n>UPDOWN:ENV,END\n");
  EXPECT_THAT(recorder.lines, ElementsAre("up 2"));
}

TEST(ManagementParser, KeepsAllThatTheSettingsAreReadFrom) {
  ManagementEvents events;
  TunnelSettings settings;
  events.on_up = [&settings](const auto& environment) { settings = settings_of(environment); };
  ManagementParser parser(events);
  parser.feed(">UPDOWN:UP\n");
  for (const char* line :
       {"ifconfig_local=10.8.0.2", "ifconfig_netmask=255.255.255.0", "tun_mtu=1400",
        "trusted_ip=198.51.100.10", "trusted_port=1194", "ifconfig_ipv6_local=fd00:8::1000",
        "ifconfig_ipv6_netbits=64", "foreign_option_1=dhcp-option DNS 10.8.0.1"}) {
    parser.feed(formatted(">UPDOWN:ENV,{}\n", line));
  }
  for (int i = 2; i <= 64; ++i) {
    parser.feed(formatted(">UPDOWN:ENV,foreign_option_{}=dhcp-option {}\n", i,
                          i == 64 ? "DOMAIN last.example" : "NTP 10.8.0.1"));
  }
  parser.feed(">UPDOWN:ENV,END\n");
  EXPECT_THAT(texts(settings.addresses), ElementsAre("10.8.0.2/24", "fd00:8::1000/64"));
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.1"));
  EXPECT_THAT(settings.search_domains, ElementsAre("last.example"));
  EXPECT_EQ(settings.mtu, 1400U);
  ASSERT_TRUE(settings.endpoint);
  EXPECT_EQ(settings.endpoint->str(), "198.51.100.10:1194/tcp");
}

TEST(ManagementParser, KeepsNoForeignOptionThatNobodyReads) {
  std::string bytes = ">UPDOWN:UP\n>UPDOWN:ENV,foreign_option_1=dhcp-option DNS 10.8.0.1\n";
  for (const char* number :
       {"0", "01", "65", "4294967297", "-1", "1x", "", "18446744073709551617"}) {
    bytes += formatted(">UPDOWN:ENV,foreign_option_{}=dhcp-option DNS 10.8.0.1\n", number);
  }
  EXPECT_THAT(events_of(bytes + ">UPDOWN:ENV,END\n"), ElementsAre("up 1"));
}

TEST(ManagementParser, RefusesAnEndlessEnvironmentAndSaysWhy) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  parser.feed(">UPDOWN:UP\n");
  const std::string line = ">UPDOWN:ENV,v=" + std::string(10'000, 'x') + "\n";
  std::string reason;
  for (std::size_t fed = 0; reason.empty() && fed < 2 * ManagementParser::kReportMax;
       fed += line.size()) {
    try {
      parser.feed(line);
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  EXPECT_THAT(reason, HasSubstr("too many routes"));
}

TEST(ManagementParser, CountsEachReportForItself) {
  Recorder recorder;
  ManagementParser parser(recorder.events());
  const std::string line = ">UPDOWN:ENV,v=" + std::string(10'000, 'x') + "\n";
  for (std::size_t fed = 0; fed < 3 * ManagementParser::kReportMax; fed += line.size()) {
    parser.feed(">UPDOWN:UP\n");
    parser.feed(line);
  }
}

TEST(ManagementParser, SurvivesLinesCutShort) {
  EXPECT_THAT(events_of(">STATE:\n>STATE:1\n>HOLD:\n>UPDOWN:\n>UPDOWN:ENV,\n>PASSWORD:Need '\n"),
              ElementsAre("state  ", "state  ", "hold 0", "need  false []"));
}

std::map<std::string, std::string> assigned() {
  return {{"ifconfig_local", "10.8.0.2"},
          {"ifconfig_netmask", "255.255.255.0"},
          {"tun_mtu", "1400"},
          {"trusted_ip", "198.51.100.10"},
          {"trusted_port", "1194"},
          {"ifconfig_ipv6_local", "fd00:8::1000"},
          {"ifconfig_ipv6_netbits", "64"},
          {"foreign_option_1", "dhcp-option DNS 10.8.0.1"},
          {"foreign_option_2", "dhcp-option DNS6 fd00:8::1"},
          {"foreign_option_3", "dhcp-option DOMAIN corp.example"}};
}

TEST(TunnelSettings, AreReadFromTheEnvironment) {
  const auto settings = settings_of(assigned());
  EXPECT_THAT(texts(settings.addresses), ElementsAre("10.8.0.2/24", "fd00:8::1000/64"));
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.1", "fd00:8::1"));
  EXPECT_THAT(settings.search_domains, ElementsAre("corp.example"));
  EXPECT_EQ(settings.mtu, 1400U);
  ASSERT_TRUE(settings.endpoint);
  EXPECT_EQ(settings.endpoint->str(), "198.51.100.10:1194/tcp");
}

TEST(TunnelSettings, NameNoEndpointThatTheClientWasNotGiven) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"trusted_ip", "192.0.2.1"},
                                                        {"trusted_ip", ""},
                                                        {"trusted_ip", "198.51.100.10 "},
                                                        {"trusted_port", "1195"},
                                                        {"trusted_port", "66730"},
                                                        {"trusted_port", "1194x"},
                                                        {"trusted_port", ""}}) {
    auto environment = assigned();
    environment[name] = value;
    EXPECT_FALSE(settings_of(environment).endpoint) << name << '=' << value;
  }
  EXPECT_FALSE(settings_from_environment(assigned(), {}).endpoint);
}

TEST(TunnelSettings, TakeAPrefixLengthThatIsNotOneAsAlone) {
  for (const char* length : {"129", "256", "-1", "", "64x"}) {
    auto environment = assigned();
    environment["ifconfig_ipv6_netbits"] = length;
    EXPECT_EQ(settings_of(environment).addresses.back().str(), "fd00:8::1000/128") << length;
  }
}

TEST(TunnelSettings, TakeAnAddressWithoutMaskAsAlone) {
  auto environment = assigned();
  environment.erase("ifconfig_netmask");
  EXPECT_EQ(settings_of(environment).addresses.front().str(), "10.8.0.2/32");
  environment["ifconfig_netmask"] = "255.0.255.0";  // no mask at all
  EXPECT_EQ(settings_of(environment).addresses.front().str(), "10.8.0.2/32");
}

/// assigned(), without `dhcp-option`, with these variables.
std::map<std::string, std::string> assigned_with(
    const std::map<std::string, std::string>& variables) {
  auto environment = assigned();
  std::erase_if(environment,
                [](const auto& variable) { return variable.first.starts_with("foreign_option_"); });
  environment.insert(variables.begin(), variables.end());
  return environment;
}

// As OpenVPN 2.7.8 reports what `dns server 1 address 10.8.0.1 fd00:8::1` and the like push.
TEST(TunnelSettings, TakeDnsOptionsThatAreNoDhcpOptions) {
  const auto settings = settings_of(assigned_with({{"dns_server_1_address_1", "10.8.0.1"},
                                                   {"dns_server_1_address_2", "fd00:8::1"},
                                                   {"dns_server_1_port_2", "53"},
                                                   {"dns_search_domain_1", "corp.example"},
                                                   {"dns_search_domain_2", "second.example"}}));
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.1", "fd00:8::1"));
  EXPECT_THAT(settings.search_domains, ElementsAre("corp.example", "second.example"));
  EXPECT_EQ(settings.resolvers_left_out, "");
  EXPECT_FALSE(settings.resolvers_are_split);
}

TEST(TunnelSettings, TakeTheFirstServerAloneAndNoDhcpOptionBesideIt) {
  auto environment = assigned();
  environment["dns_server_1_address_1"] = "10.8.0.9";
  environment["dns_server_1_resolve_domain_1"] = "corp.example";
  environment["dns_server_2_address_1"] = "10.8.0.10";
  environment["dns_search_domain_1"] = "other.example";
  const auto settings = settings_of(environment);
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.9"));
  EXPECT_THAT(settings.search_domains, ElementsAre("other.example"));
  EXPECT_TRUE(settings.resolvers_are_split);
}

TEST(TunnelSettings, PassOverServersThatCannotBeAskedAsPlainOnes) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"transport", "DoT"}, {"transport", "DoH"}, {"dnssec", "yes"}, {"port_1", "853"}}) {
    auto environment =
        assigned_with({{"dns_server_1_address_1", "10.8.0.9"}, {"dns_server_1_" + name, value}});
    EXPECT_THAT(texts(settings_of(environment).resolvers), IsEmpty()) << name;
    EXPECT_NE(settings_of(environment).resolvers_left_out, "") << name;
    // OpenVPN 2.6 shows it as a `dhcp-option` as well, without what it is; others stand for clients
    // that know no `dns` option.
    environment["foreign_option_1"] = "dhcp-option DNS 10.8.0.9";
    EXPECT_THAT(texts(settings_of(environment).resolvers), IsEmpty()) << name;
    environment["foreign_option_2"] = "dhcp-option DNS 10.8.0.1";
    EXPECT_THAT(texts(settings_of(environment).resolvers), ElementsAre("10.8.0.1")) << name;
    environment["dns_server_2_address_1"] = "10.8.0.10";
    EXPECT_THAT(texts(settings_of(environment).resolvers), ElementsAre("10.8.0.10")) << name;
  }
  const auto settings = settings_of(assigned_with({{"dns_server_1_address_1", "10.8.0.9"},
                                                   {"dns_server_1_port_1", "5353"},
                                                   {"dns_server_1_address_2", "10.8.0.1"},
                                                   {"dns_server_1_transport", "plain"},
                                                   {"dns_server_1_dnssec", "optional"}}));
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.1"));
}

TEST(TunnelSettings, AnAddressThatMustNotBeAskedInClearIsTheSameInEachOfItsForms) {
  const TunnelSettings settings =
      settings_of({{"ifconfig_local", "10.8.0.2"},
                   {"ifconfig_netmask", "255.255.255.0"},
                   {"dns_server_1_address_1", "fd00::53"},
                   {"dns_server_1_transport", "DoT"},
                   {"foreign_option_1", "dhcp-option DNS6 fd00:0:0::53"}});
  EXPECT_THAT(texts(settings.resolvers), IsEmpty());
}

TEST(TunnelSettings, LeaveOutHostileDnsOptions) {
  const auto settings =
      settings_of(assigned_with({{"dns_server_1_address_1", "10.8.0.1\nnameserver 192.0.2.1"},
                                 {"dns_server_1_address_2", "10.8.0.1"},
                                 {"dns_search_domain_1", "a b"},
                                 {"dns_search_domain_2", "b.example"}}));
  EXPECT_THAT(texts(settings.resolvers), ElementsAre("10.8.0.1"));
  EXPECT_THAT(settings.search_domains, ElementsAre("b.example"));
  std::map<std::string, std::string> many;
  for (int i = 1; i <= 64; ++i) {
    many[formatted("dns_search_domain_{}", i)] = "d.example";
  }
  EXPECT_EQ(settings_of(assigned_with(many)).search_domains.size(), 8U);
}

TEST(ManagementParser, KeepsTheDnsOptionsThatAreReadAndNoOthers) {
  std::string bytes = ">UPDOWN:UP\n";
  for (const char* name :
       {"dns_server_1_address_1", "dns_server_128_address_8", "dns_server_1_port_8",
        "dns_server_1_transport", "dns_server_1_dnssec", "dns_server_1_resolve_domain_1",
        "dns_search_domain_1", "dns_search_domain_64"}) {
    bytes += formatted(">UPDOWN:ENV,{}=x\n", name);
  }
  for (const char* name :
       {"dns_server_0_address_1", "dns_server_129_address_1", "dns_server_1_address_9",
        "dns_server_1_address_01", "dns_server_1_address_", "dns_server_1_", "dns_server_",
        "dns_server_1", "dns_server_1_sni", "dns_server_1_resolve_domain_2",
        "dns_server_-1_address_1", "dns_search_domain_0", "dns_search_domain_65",
        "dns_search_domain_", "dns_vars_file"}) {
    bytes += formatted(">UPDOWN:ENV,{}=x\n", name);
  }
  EXPECT_THAT(events_of(bytes + ">UPDOWN:ENV,END\n"), ElementsAre("up 8"));
}

using Variables = std::map<std::string, std::string>;

/// What is added for these lines of OpenVPN's output.
Variables pushed(const std::vector<std::string>& lines, std::string_view config = "") {
  PushedDns dns(config);
  for (const std::string& line : lines) {
    dns.read("PUSH: Received control message: '" + line + "'");
  }
  Variables variables;
  dns.add_to(variables);
  return variables;
}

// As OpenVPN 2.7.8 writes it.
TEST(PushedDns, IsReadFromTheOutput) {
  EXPECT_EQ(
      pushed(
          {"PUSH_REPLY,dns server 2 address 10.8.0.1,dns server 1 address 10.8.1.53 fd00::53,dns "
           "server 1 transport DoT,dns search-domains a.example b.example,route-gateway 10.8.0.1,"
           "topology subnet,push-continuation 2",
           "PUSH_REPLY,dns server 2 resolve-domains c.example d.example,dns server 2 dnssec no,"
           "dns server 3 address 10.8.0.2:5353 [fd00::54]:53,tun-mtu 1500,push-continuation 1"}),
      (Variables{{"dns_search_domain_1", "a.example"},
                 {"dns_search_domain_2", "b.example"},
                 {"dns_server_1_address_1", "10.8.1.53"},
                 {"dns_server_1_address_2", "fd00::53"},
                 {"dns_server_1_transport", "DoT"},
                 {"dns_server_2_address_1", "10.8.0.1"},
                 {"dns_server_2_dnssec", "no"},
                 {"dns_server_2_resolve_domain_1", "c.example"},
                 {"dns_server_3_address_1", "10.8.0.2"},
                 {"dns_server_3_port_1", "5353"},
                 {"dns_server_3_address_2", "fd00::54"},
                 {"dns_server_3_port_2", "53"}}));
}

TEST(PushedDns, IsThatOfOneConnectionAndOfOpenvpnItselfIfItTells) {
  PushedDns dns("");
  dns.read("PUSH: Received control message: 'PUSH_REPLY,dns server 1 address 10.8.0.1'");
  Variables variables{{"dns_search_domain_1", "a.example"}};
  dns.add_to(variables);
  EXPECT_EQ(variables.size(), 1U) << "OpenVPN 2.6 reports them all";
  dns.read("PUSH: Received control message: 'PUSH_REPLY,dns server 2 address 10.8.0.2'");
  variables.clear();
  dns.add_to(variables);
  EXPECT_EQ(variables, (Variables{{"dns_server_1_address_1", "10.8.0.2"}}));
}

TEST(PushedDns, HeedsTheConfiguration) {
  const std::string config =
      "dns server 1 address 10.1.1.1\ndns server -1 address 10.1.1.2\ndns search-domains "
      "own.example\n"
      "pull-filter accept \"dns server 2\"\npull-filter ignore \"dns server\"\n";
  EXPECT_EQ(pushed({"PUSH_REPLY,dns server 1 address 10.8.0.1,dns server 2 address 10.8.0.2,"
                    "dns search-domains a.example"},
                   config),
            (Variables{{"dns_server_1_address_1", "10.1.1.2"},
                       {"dns_server_2_address_1", "10.1.1.1"},
                       {"dns_server_3_address_1", "10.8.0.2"},
                       {"dns_search_domain_1", "own.example"},
                       {"dns_search_domain_2", "a.example"}}));
}

// OpenVPN skips blanks in front of a pushed option before it looks at filters, and takes `setenv
// opt` off.
TEST(PushedDns, IsFilteredWhateverStandsAround) {
  for (const char* config :
       {"pull-filter ignore \"dns \"\n", "setenv opt pull-filter ignore \"dns \"\n"}) {
    for (const char* blanks : {"", " ", " \t", "\v"}) {
      EXPECT_TRUE(
          pushed({formatted("PUSH_REPLY,{}dns server 1 address 10.8.0.1", blanks)}, config).empty())
          << config << '[' << blanks << ']';
    }
  }
  EXPECT_EQ(
      pushed({"PUSH_REPLY, dns server 1 address 10.8.0.1"},
             "setenv opt dns server 2 address 10.1.1.1\n"),
      (Variables{{"dns_server_1_address_1", "10.8.0.1"}, {"dns_server_2_address_1", "10.1.1.1"}}));
}

// Numbers below 0 are the configuration's alone: what nobody can push before it.
TEST(PushedDns, HasNoServerBeforeTheConfigurationsOwn) {
  const Variables own = {{"dns_server_1_address_1", "10.1.1.2"}};
  EXPECT_EQ(pushed({"PUSH_REPLY,dns server -128 address 10.8.0.1,dns server -1 address 10.8.0.2"},
                   "dns server -1 address 10.1.1.2\n"),
            own);
}

TEST(PushedDns, HasTheAddressesOfAllLines) {
  const std::string line = ",dns server 1 address 10.8.0.1";
  std::string lines = line + ":53";
  for (int i = 0; i < 9; ++i) {
    lines += line;
  }
  EXPECT_EQ(pushed({"PUSH_REPLY" + lines}).size(), 8U + 1U) << "eight, one with a port";
}

TEST(PushedDns, IsNotThatOfAConnectionThatCameToNothing) {
  PushedDns dns("dns server 3 address 10.1.1.1\n");
  dns.read("PUSH: Received control message: 'PUSH_REPLY,dns server 0 address 10.8.0.1'");
  dns.forget();
  dns.read("PUSH: Received control message: 'PUSH_REPLY,dns server 2 address 10.8.0.2'");
  Variables variables;
  dns.add_to(variables);
  EXPECT_EQ(variables, (Variables{{"dns_server_1_address_1", "10.8.0.2"},
                                  {"dns_server_2_address_1", "10.1.1.1"}}));
}

TEST(PushedDns, LeavesOutWhatIsNoOption) {
  EXPECT_TRUE(pushed({"PUSH_UPDATE,dns server 1 address 10.8.0.1"}).empty());
  EXPECT_TRUE(
      pushed(
          {"PUSH_REPLY,dns server 128 address 10.8.0.1,dns server 1x address 10.8.0.1,dns server 1 "
           "address,dns server,dns,dns servers 1 address 10.8.0.1,dns server 1 transport DoT,"
           "dns \"server 1 address 10.8.0.1"})
          .empty());
  PushedDns dns("");
  dns.read(
      "VERIFY OK: CN=PUSH: Received control message: 'PUSH_REPLY,dns server 1 address 10.8.0.1'");
  Variables variables;
  dns.add_to(variables);
  EXPECT_TRUE(variables.empty());
  // Of an option OpenVPN takes 16 words at most.
  std::string many = "PUSH_REPLY,dns server 1 address";
  std::string domains;
  for (int i = 0; i < 10; ++i) {
    many += " 10.8.0.1";
    domains += ",dns search-domains a.example b c d e f g h i j";
  }
  EXPECT_EQ(pushed({many + domains}).size(), 8U + 64U);
}

TEST(TunnelSettings, LeaveOutWhatAHostileServerWrites) {
  auto environment = assigned();
  environment["foreign_option_1"] = "dhcp-option DNS 10.8.0.1; rm -rf /";
  environment["foreign_option_2"] = "dhcp-option DNS not-an-address";
  environment["foreign_option_3"] = "dhcp-option DOMAIN a b";
  environment["tun_mtu"] = "1";
  const auto settings = settings_of(environment);
  EXPECT_THAT(texts(settings.resolvers), IsEmpty());
  EXPECT_THAT(settings.search_domains, IsEmpty());
  EXPECT_EQ(settings.mtu, 0U);
}

TEST(TunnelSettings, WithoutAnAddressAreAnError) {
  EXPECT_THROW((void)settings_of({{"ifconfig_local", "300.1.1.1"}}), Error);
  const std::string with_tail("10.8.0.2\0x", 10);
  EXPECT_THROW((void)settings_of({{"ifconfig_local", with_tail}}), Error);
}

TEST(ManagementQuote, EscapesQuotesAndBackslashes) {
  EXPECT_EQ(quote(R"(a"b\c)"), R"("a\"b\\c")");
}

TEST(ManagementQuote, RefusesWhatWouldEndTheCommand) {
  EXPECT_THROW((void)quote("a\nsignal SIGTERM"), Error);
  EXPECT_THROW((void)quote(std::string_view("a\0b", 3)), Error);
}

TEST(ManagementQuote, RefusesWhatOpenvpnWouldDrop) {
  for (const char* text : {"a\tb", "a\x01", "\x1b[0m", "a\x7f", "a\rb"}) {
    EXPECT_THROW((void)quote(text), Error) << text;
  }
  EXPECT_EQ(quote("Z\xC3\xBCrich \xFF"), "\"Z\xC3\xBCrich \xFF\"");
}

TEST(ManagementQuote, RefusesWhatOpenvpnWouldPrintAsTooLong) {
  EXPECT_NO_THROW((void)quote(std::string(kArgumentMax, '"')));
  EXPECT_THROW((void)quote(std::string(kArgumentMax + 1, 'x')), Error);
}

}  // namespace
}  // namespace vpnrun::service::openvpn
