// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_parser.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "profiles/profile_toml.h"

namespace vpnrun::profile {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kPath = "/etc/vpnrun/profiles/work.toml";
constexpr const char* kTunnel = "[tunnel]\ntype = \"none\"\n";

Profile parse(const std::string& text) {
  return parse_profile(text, "work", kPath);
}

/// With a tunnel in front, which takes two lines.
Profile parse_rest(const std::string& text) {
  return parse(kTunnel + text);
}

Error error_of(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

std::string message_of(const std::string& text) {
  return error_of(text).what();
}
std::string message_of_rest(const std::string& text) {
  return message_of(kTunnel + text);
}

TEST(ProfileParser, DurationsHaveAUnitAndALimit) {
  const auto idle = [](const std::string& text) {
    return parse("[tunnel]\ntype = \"none\"\nidle_stop = \"" + text + "\"\n").tunnel.idle_stop;
  };
  EXPECT_EQ(idle("10s"), std::chrono::seconds(10));
  EXPECT_EQ(idle("90s"), std::chrono::seconds(90));
  EXPECT_EQ(idle("2h"), std::chrono::seconds(7200));
  EXPECT_EQ(idle("168h"), std::chrono::seconds(604800));
  for (const char* wrong : {"", "10", "0s", "9s", "0min", "s", "-1s", "1.5h", "10 min", "169h",
                            "1d", "01s", "99999999999999999999s", "10MIN", "10mins"}) {
    EXPECT_THROW((void)idle(wrong), Error) << wrong;
  }
  EXPECT_EQ(parse_rest("").tunnel.idle_stop, std::nullopt);
}

TEST(ProfileParser, TheHostsNameIsOneThatANamespaceCanHave) {
  EXPECT_THAT(message_of_rest("[namespace]\nname_host = \"../x\"\n"),
              HasSubstr("'../x' is not a namespace's name"));
  EXPECT_THROW((void)parse_rest("[namespace]\nname_host = \"\"\n"), Error);
}

TEST(ProfileParser, ReadsEveryKey) {
  const Profile profile = parse(R"(description = "TunnelBear, Sweden"
[tunnel]
type = "openvpn"
config = "tunnelbear.ovpn"
credentials = "tunnelbear.auth"
idle_stop = "10min"
[namespace]
name_host = "default"
[link]
type = "veth"
subnet = "198.18.0.4/30"
uplink = "eth0"
[dns]
servers = ["10.8.0.1", "2001:DB8:0::1"]
search = ["example.org.", "corp"]
capture = false
[application]
no_new_privs = true
i386 = true
[access]
users = ["alice", "bob@example.org"]
groups = ["vpnrun", "domain users"]
from_namespaces = true
[ports]
expose = ["tcp/9091", "udp/9091"]
inbound = ["udp/51413"]
[hooks]
up_outside = ["logger up"]
up_inside = ["a", "b"]
down_inside = ["c"]
down_outside = ["d"]
)");
  EXPECT_EQ(profile.name, "work");
  EXPECT_EQ(profile.path, kPath);
  EXPECT_EQ(profile.description, "TunnelBear, Sweden");
  EXPECT_EQ(profile.tunnel.type, TunnelType::kOpenvpn);
  EXPECT_EQ(profile.tunnel.config, "/etc/vpnrun/profiles/tunnelbear.ovpn");
  EXPECT_EQ(profile.tunnel.credentials, "/etc/vpnrun/profiles/tunnelbear.auth");
  EXPECT_EQ(profile.tunnel.idle_stop, std::chrono::minutes(10));
  EXPECT_EQ(profile.network_namespace.name_host, "default");
  EXPECT_EQ(profile.link.type, LinkType::kVeth);
  EXPECT_EQ(profile.link.subnet, Prefix::parse("198.18.0.4/30"));
  EXPECT_EQ(profile.link.uplink, "eth0");
  EXPECT_THAT(profile.dns.servers,
              ElementsAre(IpAddress::parse("10.8.0.1"), IpAddress::parse("2001:db8::1")));
  EXPECT_THAT(profile.dns.search, ElementsAre("example.org", "corp"));
  EXPECT_FALSE(profile.dns.capture);
  EXPECT_TRUE(profile.application.no_new_privs);
  EXPECT_TRUE(profile.application.i386);
  EXPECT_THAT(profile.access.users, ElementsAre("alice", "bob@example.org"));
  EXPECT_THAT(profile.access.groups, ElementsAre("vpnrun", "domain users"));
  EXPECT_EQ(profile.access.user_places.size(), 2U);
  EXPECT_THAT(profile.access.group_places.at(1), ::testing::ContainsRegex(":[0-9]+:[0-9]+$"));
  EXPECT_TRUE(profile.access.from_namespaces);
  EXPECT_THAT(profile.ports.expose,
              ElementsAre(Port{Transport::kTcp, 9091}, Port{Transport::kUdp, 9091}));
  EXPECT_THAT(profile.ports.inbound, ElementsAre(Port{Transport::kUdp, 51413}));
  EXPECT_THAT(profile.hooks.up_outside, ElementsAre("logger up"));
  EXPECT_THAT(profile.hooks.up_inside, ElementsAre("a", "b"));
  EXPECT_THAT(profile.hooks.down_inside, ElementsAre("c"));
  EXPECT_THAT(profile.hooks.down_outside, ElementsAre("d"));
}

TEST(ProfileParser, FillsInTheDefaults) {
  const Profile profile = parse("[tunnel]\nconfig = \"a.ovpn\"\n");
  EXPECT_EQ(profile.tunnel.type, TunnelType::kOpenvpn);
  EXPECT_EQ(profile.tunnel.credentials, "");
  EXPECT_EQ(profile.link.type, LinkType::kVeth);
  EXPECT_FALSE(profile.link.subnet);
  EXPECT_EQ(profile.link.uplink, "");
  EXPECT_TRUE(profile.dns.capture);
  EXPECT_THAT(profile.dns.servers, IsEmpty());
  EXPECT_FALSE(profile.application.no_new_privs);
  EXPECT_FALSE(profile.application.i386);
  EXPECT_THAT(profile.access.users, IsEmpty());
  EXPECT_FALSE(profile.access.from_namespaces);
  EXPECT_THAT(profile.hooks.up_outside, IsEmpty());
}

TEST(ProfileParser, AutoIsTheDefaultWrittenDown) {
  const Profile profile = parse_rest("[link]\nsubnet = \"auto\"\nuplink = \"auto\"\n");
  EXPECT_FALSE(profile.link.subnet);
  EXPECT_EQ(profile.link.uplink, "");
}

TEST(ProfileParser, ReadsEveryTunnelAndLinkType) {
  EXPECT_EQ(parse("tunnel = {type = \"wireguard\", config = \"/w\"}").tunnel.type,
            TunnelType::kWireguard);
  EXPECT_EQ(parse("tunnel = {type = \"exec\", config = \"/w\"}").tunnel.type, TunnelType::kExec);
  EXPECT_EQ(parse("tunnel.type = \"none\"").tunnel.type, TunnelType::kNone);
  EXPECT_EQ(parse_rest("[link]\ntype = \"direct\"").link.type, LinkType::kDirect);
  EXPECT_EQ(parse_rest("[link]\ntype = \"macvlan\"").link.type, LinkType::kMacvlan);
}

TEST(ProfileParser, AcceptsCommentsWindowsLineEndsAndAByteOrderMark) {
  EXPECT_EQ(parse("\xEF\xBB\xBF# hello\r\ntunnel.type = \"none\" # there\r\n").tunnel.type,
            TunnelType::kNone);
}

TEST(ProfileParser, MakesPathsAbsoluteAgainstTheProfilesFolder) {
  EXPECT_EQ(parse("tunnel.config = \"sub/a.ovpn\"").tunnel.config,
            "/etc/vpnrun/profiles/sub/a.ovpn");
  EXPECT_EQ(parse("tunnel.config = \"/srv/a.ovpn\"").tunnel.config, "/srv/a.ovpn");
  EXPECT_EQ(parse("tunnel.config = \"../a.ovpn\"").tunnel.config, "/etc/vpnrun/profiles/../a.ovpn");
  const Profile relative = parse_profile("tunnel.config = \"a\"", "work", "work.toml");
  EXPECT_THAT(relative.tunnel.config, AllOf(StartsWith("/"), HasSubstr("/a")));
}

TEST(ProfileParser, RejectsAnUnknownKeyOfTheApplication) {
  EXPECT_EQ(message_of_rest("[application]\nno_new_priv = true\n"),
            "/etc/vpnrun/profiles/work.toml:4:1: unknown key 'no_new_priv' in [application]; did "
            "you mean 'no_new_privs'? (known: no_new_privs, i386)");
}

TEST(ProfileParser, RejectsUnknownKeyAndNamesTheLine) {
  EXPECT_EQ(message_of_rest("[dns]\n  sevrers = []\n"),
            "/etc/vpnrun/profiles/work.toml:4:3: unknown key 'sevrers' in [dns]; did you mean "
            "'servers'? (known: servers, search, capture)");
}

TEST(ProfileParser, RejectsUnknownTableAndNamesTheNearest) {
  EXPECT_THAT(message_of_rest("[acces]\nusers = []\n"),
              AllOf(StartsWith("/etc/vpnrun/profiles/work.toml:3:2: unknown key 'acces'"),
                    HasSubstr("did you mean 'access'?"), HasSubstr("known: description, tunnel")));
}

TEST(ProfileParser, SuggestsNothingForAKeyThatIsFarFromAll) {
  EXPECT_THAT(message_of_rest("[dns]\nfrobnicate = 1\n"),
              AllOf(HasSubstr("unknown key 'frobnicate'"), Not(HasSubstr("did you mean"))));
}

TEST(ProfileParser, NamesTheFirstOfSeveralUnknownKeys) {
  EXPECT_THAT(message_of_rest("[dns]\nzeta = 1\nalpha = 2\n"),
              HasSubstr(":4:1: unknown key 'zeta'"));
}

struct Rejected {
  const char* text;     ///< lines behind kTunnel
  const char* place;    ///< LINE:COLUMN
  const char* message;  ///< a part of it
};

std::ostream& operator<<(std::ostream& out, const Rejected& rejected) {
  return out << rejected.text;
}

class ProfileValue : public ::testing::TestWithParam<Rejected> {};

TEST_P(ProfileValue, IsRejectedWithItsPlaceAndTheReason) {
  const Rejected& rejected = GetParam();
  EXPECT_THAT(message_of_rest(rejected.text),
              AllOf(StartsWith(std::string(kPath) + ":" + rejected.place + ": "),
                    HasSubstr(rejected.message)));
}

INSTANTIATE_TEST_SUITE_P(
    OfWrongType, ProfileValue,
    ::testing::Values(
        Rejected{"[dns]\nservers = \"10.0.0.1\"", "4:11",
                 "'servers' in [dns] must be an array of strings, not a string: '\"10.0.0.1\"'"},
        Rejected{"[dns]\nservers = [1]", "4:12",
                 "must be an array of strings, not an integer: '1'"},
        Rejected{"[dns]\nservers = [[\"a\"]]", "4:12", "not an array"},
        Rejected{"[dns]\ncapture = \"yes\"", "4:11",
                 "'capture' in [dns] must be true or false, not a string: '\"yes\"'"},
        Rejected{"[dns]\ncapture = 1", "4:11", "true or false, not an integer: '1'"},
        Rejected{"[application]\nno_new_privs = 1", "4:16",
                 "'no_new_privs' in [application] must be true or false, not an integer: '1'"},
        Rejected{"[application]\nno_new_privs = \"true\"", "4:16", "not a string: '\"true\"'"},
        Rejected{"[application]\ni386 = \"yes\"", "4:8",
                 "'i386' in [application] must be true or false, not a string"},
        Rejected{"[link]\ntype = true", "4:8", "must be a string, not a boolean: 'true'"},
        Rejected{"[link]\nuplink = 2024-01-01", "4:10", "must be a string, not a date or time"},
        Rejected{"[link]\nuplink = 1.5", "4:10", "not a floating-point number: '1.5'"},
        Rejected{"[hooks]\nup_inside = {a = 1}", "4:13", "not a table"},
        Rejected{"[[dns]]\nservers = []", "3:1", "'dns' must be a table, [dns], not an array"}));

INSTANTIATE_TEST_SUITE_P(
    OutsideItsRange, ProfileValue,
    ::testing::Values(
        Rejected{"[link]\ntype = \"vet\"", "4:8",
                 "'vet' is not allowed; did you mean 'veth'? (allowed: veth, direct, macvlan)"},
        Rejected{"[link]\nsubnet = \"198.18.0.0/24\"", "4:10", "is not a /30"},
        Rejected{"[link]\nsubnet = \"198.18.0.5/30\"", "4:10", "expected 198.18.0.4/30"},
        Rejected{"[link]\nsubnet = \"198.18.0.4\"", "4:10", "is not a subnet"},
        Rejected{"[link]\nsubnet = \"198.18.4/30\"", "4:10", "is not a subnet"},
        Rejected{"[link]\nsubnet = \"198.18.0.4/30x\"", "4:10", "is not a /30"},
        Rejected{"[link]\nsubnet = \"fd00::/30\"", "4:10", "is not a subnet"},
        Rejected{"[link]\nsubnet = \"127.0.0.0/30\"", "4:10", "outside 0.0.0.0/8"},
        Rejected{"[link]\nsubnet = \"224.0.0.0/30\"", "4:10", "outside 0.0.0.0/8"},
        Rejected{"[link]\nsubnet = \"\"", "4:10", "is not a subnet"},
        Rejected{"[link]\nuplink = \"sixteen-letters-\"", "4:10", "at most 15 visible"},
        Rejected{"[link]\nuplink = \"a/b\"", "4:10", "is not an interface name"},
        Rejected{"[link]\nuplink = \"a b\"", "4:10", "is not an interface name"},
        Rejected{"[link]\nuplink = \"..\"", "4:10", "is not an interface name"},
        Rejected{"[link]\nuplink = \"\"", "4:10", "is not an interface name"},
        Rejected{"[dns]\nservers = [\"dns.example.org\"]", "4:12",
                 "expected a unicast IPv4 or IPv6"},
        Rejected{"[dns]\nservers = [\n  \"10.0.0.1\",\n  \"10.0.0.256\"]", "6:3", "'10.0.0.256'"},
        Rejected{"[dns]\nservers = [\"fe80::1%eth0\"]", "4:12", "is not the address"},
        Rejected{"[dns]\nservers = [\"0.0.0.0\"]", "4:12", "is not the address"},
        Rejected{"[dns]\nservers = [\"::\"]", "4:12", "is not the address"},
        Rejected{"[dns]\nservers = [\"ff02::1\"]", "4:12", "is not the address"},
        Rejected{"[dns]\nservers = [\"10.0.0.1 \"]", "4:12", "is not the address"},
        Rejected{"[dns]\nservers = [\"\"]", "4:12", "is not the address"},
        Rejected{"[dns]\nsearch = [\"exa mple.org\"]", "4:11", "is not a domain"},
        Rejected{"[dns]\nsearch = [\"a..b\"]", "4:11", "is not a domain"},
        Rejected{"[dns]\nsearch = [\"-a.org\"]", "4:11", "is not a domain"},
        Rejected{"[dns]\nsearch = [\"müller.de\"]", "4:11", "xn--"},
        Rejected{"[dns]\nsearch = [\".\"]", "4:11", "is not a domain"},
        Rejected{"[access]\nusers = [\"\"]", "4:10", "is not a name"},
        Rejected{"[access]\nusers = [\"1000\"]", "4:10", "not a number"},
        Rejected{"[access]\nusers = [\"-rf\"]", "4:10", "is not a name"},
        Rejected{"[access]\nusers = [\"a:b\"]", "4:10", "is not a name"},
        Rejected{"[access]\ngroups = [\"a,b\"]", "4:11", "is not a name"},
        Rejected{"[access]\ngroups = [\"../x\"]", "4:11", "is not a name"},
        Rejected{"[ports]\nexpose = [\"9091\"]", "4:11", "expected tcp/NUMBER or udp/NUMBER"},
        Rejected{"[ports]\nexpose = [\"tcp/0\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"tcp/65536\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"tcp/-1\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"tcp/+1\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"tcp/080\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"tcp/\"]", "4:11", "from 1 to 65535"},
        Rejected{"[ports]\nexpose = [\"sctp/80\"]", "4:11", "expected tcp/NUMBER"},
        Rejected{"[ports]\nexpose = [\"tcp/80\", \"tcp/80\"]", "4:21", "'tcp/80' is listed twice"},
        Rejected{"[ports]\ninbound = [\"udp/80\", \"udp/80\"]", "4:22", "'udp/80' is listed twice"},
        Rejected{"[access]\nusers = [\"bob\", \"al\", \"bob\"]", "4:23", "'bob' is listed twice"},
        Rejected{"[access]\ngroups = [\"vpn\",\n\"vpn\"]", "5:1", "'vpn' is listed twice"},
        Rejected{"[hooks]\nup_outside = [\"\"]", "4:15", "the command is empty"},
        Rejected{"[hooks]\nup_outside = [\"  \"]", "4:15", "the command is empty"}));

INSTANTIATE_TEST_SUITE_P(
    WithControlCharacters, ProfileValue,
    ::testing::Values(
        Rejected{"[dns]\nsearch = [\"a\\nnameserver 192.0.2.1\"]", "4:11", "control character"},
        Rejected{"[access]\nusers = [\"a\\u0000b\"]", "4:10", "control character"},
        Rejected{"[link]\nuplink = \"eth0\\u001b[31m\"", "4:10", "'eth0?[31m'"},
        Rejected{"[hooks]\nup_inside = [\"true\\nrm -rf /\"]", "4:14", "control character"},
        Rejected{"[hooks]\nup_inside = [\"\"\"true\nrm\"\"\"]", "4:14", "control character"},
        Rejected{"[hooks]\nup_inside = [\"a\\u202Eb\"]", "4:14", "control character"}));

TEST(ProfileParser, RejectsControlCharactersInDescriptionAndPaths) {
  EXPECT_THAT(message_of("description = \"a\\rb\"\ntunnel.type = \"none\""),
              AllOf(StartsWith(std::string(kPath) + ":1:15: "), HasSubstr("control character")));
  EXPECT_THAT(message_of("tunnel.config = \"a\\nb\""), HasSubstr("control character"));
}

TEST(ProfileParser, RejectsPathsThatNameNoFile) {
  EXPECT_THAT(message_of("tunnel.config = \"\""), HasSubstr("is not the name of a file"));
  EXPECT_THAT(message_of("tunnel.config = \"sub/\""), HasSubstr("is not the name of a file"));
}

TEST(ProfileParser, RequiresAConfigurationForEveryTypeButNone) {
  EXPECT_EQ(message_of(""),
            "/etc/vpnrun/profiles/work.toml:1:1: 'config' is missing: type \"openvpn\" needs a "
            "configuration file (config = \"FILE\") in [tunnel]");
  EXPECT_THAT(message_of("\n[tunnel]\ntype = \"wireguard\"\n"),
              AllOf(StartsWith(std::string(kPath) + ":2:1: "), HasSubstr("'config' is missing")));
  EXPECT_THAT(message_of("[tunnel]\ntype = \"none\"\nconfig = \"a\"\n"),
              AllOf(StartsWith(std::string(kPath) + ":3:10: "),
                    HasSubstr("type \"none\" has no configuration file")));
}

TEST(ProfileParser, AllowsCredentialsForOpenvpnOnly) {
  EXPECT_THAT(
      message_of("[tunnel]\ntype = \"wireguard\"\nconfig = \"a\"\ncredentials = \"b\"\n"),
      AllOf(StartsWith(std::string(kPath) + ":4:15: "), HasSubstr("takes no credentials file")));
}

TEST(ProfileParser, ExposesPortsOverAVethOnly) {
  EXPECT_THAT(message_of_rest("[link]\ntype = \"direct\"\n[ports]\nexpose = [\"tcp/80\"]\n"),
              AllOf(StartsWith(std::string(kPath) + ":6:10: "), HasSubstr("type \"veth\" only")));
}

TEST(ProfileParser, ReportsSyntaxErrorsWithTheirPlaceAndText) {
  const Error error = error_of("[tunnel]\n  type = none\n");
  EXPECT_THAT(error.what(),
              AllOf(StartsWith(std::string(kPath) + ":2:"), HasSubstr(": not valid TOML: "),
                    HasSubstr("in '  type = none'")));
  EXPECT_EQ(error.hint(), "text goes in double quotes: key = \"value\"");
  EXPECT_EQ(error_of("description = \"a\n").hint(), "");
  EXPECT_THAT(message_of("[tunnel]\ntype = \"none\"\ntype = \"none\"\n"),
              AllOf(HasSubstr(":3:"), HasSubstr("cannot redefine")));
  EXPECT_THAT(message_of("[tunnel]\ntype = \"none\"\n[tunnel]\n"),
              AllOf(HasSubstr(":3:"), HasSubstr("cannot redefine")));
  EXPECT_THAT(message_of("[tunnel\n"), HasSubstr(":1:"));
  EXPECT_THAT(message_of("[!]\n"), HasSubstr("not valid TOML"));
  EXPECT_THAT(message_of("[tunnel]\ntyö = 1\n"), HasSubstr(":2:3: not valid TOML"));
  EXPECT_THAT(message_of("[dns]\nservers = [\n"), HasSubstr("not valid TOML"));
}

TEST(ProfileParser, RejectsLettersBeyondAsciiOutsideOfStringsWithAHint) {
  const Error error = error_of("[tunnel]\ntyö = 1\n");
  EXPECT_STREQ(error.what(),
               "/etc/vpnrun/profiles/work.toml:2:3: not valid TOML: 'ö' outside of a string in "
               "'työ = 1'");
  EXPECT_THAT(error.hint(), HasSubstr("double quotes"));
  for (const std::string text : {"description = “a”\n",
                                 "a = 1\u00A0\n",
                                 "あ = 1",
                                 "[あ]",
                                 "a = 1あ",
                                 "a = [\"a\", あ]",
                                 "a = 2020-01-01あ",
                                 "a = '''ä''''あ",
                                 "a = \"\"あ",
                                 "a = \"\\\"\"あ",
                                 "a = '\\'あ",
                                 "a = \"\"\"ä\"\"\"\"\"あ",
                                 "a = \"\"\"\\\"\"\"\"あ",
                                 "# ä\nあ",
                                 "'a'あ = 1",
                                 "\uFEFF\uFEFFa = 1",
                                 "a = -\"ö\"",
                                 "a = 1.\"ö\"",
                                 "a = 2020-01-01 \"ö\"",
                                 "a = [\n1.'ö']",
                                 "a = -='ö'",
                                 "a = 1[\"ö\"]",
                                 "a = 1{\"ö\"}",
                                 "a = [1=\"ö\"]",
                                 "a = {b = 1.\"ö\"}"}) {
    EXPECT_THAT(message_of(text), HasSubstr("outside of a string")) << text;
  }
}

TEST(ProfileParser, AllowsLettersBeyondAsciiInStringsAndComments) {
  const auto description = [](const std::string& value) {
    return parse_profile("description = " + value + " # あ “ö”\n[tunnel]\ntype = \"none\"\n",
                         "work", kPath)
        .description;
  };
  EXPECT_EQ(description("\"Grüße \\\" あ\""), "Grüße \" あ");
  EXPECT_EQ(description("'Grüße \\'"), "Grüße \\");
  EXPECT_EQ(description("'''Grüße' '' あ'''''"), "Grüße' '' あ''");
  EXPECT_EQ(description("\"\"\"\nGrüße\" \"\" \\u3042\"\"\"\"\""), "Grüße\" \"\" あ\"\"");
  EXPECT_EQ(description("\"\"\"a \\\n  b Grüße\"\"\""), "a b Grüße");
  EXPECT_EQ(description("\"\"\"\\\\ö\"\"\""), "\\ö");
  EXPECT_THAT(message_of("a . \"ö\".'ü' = 1"), HasSubstr("unknown key 'a'"));
  EXPECT_THAT(message_of("[a.\"ö\"]"), HasSubstr("unknown key 'a'"));
  EXPECT_THAT(message_of("\"ö\" = [\n\"ü\", # ä\n[\"ß\"],\n{a.\"é\"='ñ', 'à'='ç'}, \"ü\"]\n"),
              HasSubstr("unknown key 'ö'"));
}

TEST(ProfileParser, RejectsLettersBeyondAsciiBehindALineThatABackslashEnds) {
  for (const char* text :
       {"a = \"\"\"b\\\n \n あ\"\"\"", "a = \"\"\"b\\ö\"\"\"", "a = \"\"\"b\\ \tö\"\"\""}) {
    EXPECT_THAT(message_of(text), HasSubstr("after a '\\'")) << text;
  }
  EXPECT_THAT(message_of("a = \"\"\"b\\\n  ö\"\"\""), StartsWith(std::string(kPath) + ":2:3: "));
}

TEST(ProfileParser, LeavesStringsWithoutEndToTheLibrary) {
  for (const char* text : {"a = \"b\nö = 1", "a = 'b\nö = 1", "a = \"b\\\nö = 1", "a = \"\"\"ö",
                           "a = '''ö", "a = \"", "a = \"\\"}) {
    EXPECT_THAT(message_of(text), HasSubstr("not valid TOML: parsing")) << text;
  }
}

TEST(ProfileParser, SkipsAByteOrderMark) {
  EXPECT_THAT(message_of("\uFEFFa = 1"), HasSubstr(":1:1: unknown key 'a'"));
  EXPECT_THAT(message_of("\uFEFFaö = 1"), HasSubstr(":1:2: not valid TOML"));
}

TEST(ProfileParser, RejectsBytesThatAreNotText) {
  EXPECT_THAT(message_of("description = \"a\0b\"\n"s), HasSubstr("not valid TOML"));
  EXPECT_THAT(message_of("description = \"\xFF\"\n"), HasSubstr("not valid TOML"));
  EXPECT_THAT(message_of("\xFF\xFE"
                         "a = 1"),
              HasSubstr("not valid TOML"));
  EXPECT_THAT(message_of("# \x1b[2J\n"),
              AllOf(HasSubstr("not valid TOML"), Not(HasSubstr("\x1b"))));
}

TEST(ProfileParser, SurvivesDeepNesting) {
  EXPECT_THAT(message_of("a = " + std::string(20000, '[')), HasSubstr("not valid TOML"));
  std::string keys = "a";
  while (keys.size() + 6 < kProfileTextMax) {
    keys += ".a";
  }
  EXPECT_THAT(message_of(keys + " = 1"), HasSubstr("unknown key 'a'"));
  EXPECT_THAT(message_of("[" + keys + "]"), HasSubstr("unknown key 'a'"));
}

TEST(ProfileParser, RejectsATextThatIsTooLong) {
  EXPECT_THAT(message_of(std::string(kProfileTextMax + 1, '\n')),
              AllOf(StartsWith(std::string(kPath) + ":1:1: "), HasSubstr("too long")));
}

TEST(ProfileParser, ShortensAndCleansWhatItRepeats) {
  const std::string message = message_of_rest("[link]\ntype = \"" + std::string(500, 'x') + "\"\n");
  EXPECT_LT(message.size(), 1000U);
  EXPECT_THAT(message_of_rest("\"k\\u001b[1m\" = 1\n"),
              AllOf(HasSubstr("unknown key 'k?[1m'"), Not(HasSubstr("\x1b"))));
}

class ProfileNameOf : public ::testing::TestWithParam<const char*> {};

TEST_P(ProfileNameOf, AProfileIsRefused) {
  EXPECT_THROW((void)parse_profile("tunnel.type = \"none\"", GetParam(), kPath), Error);
}

INSTANTIATE_TEST_SUITE_P(Invalid, ProfileNameOf,
                         ::testing::Values("", "Work", "../work", "a b", "-a"));

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(ProfileExamples, AllParse) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VPNRUN_EXAMPLES)) {
    SCOPED_TRACE(entry.path());
    const Profile profile = parse_profile(content_of(entry.path()), entry.path().stem().string(),
                                          "/p/" + entry.path().filename().string());
    EXPECT_EQ(profile.tunnel.type, TunnelType::kOpenvpn);
    ++count;
  }
  EXPECT_GE(count, 2);
}

/// Lines that are switched off by a '#' without a blank behind it, switched on.
std::string switched_on(std::string text) {
  for (std::size_t at = 0; (at = text.find("\n#", at)) != std::string::npos; ++at) {
    if (at + 2 < text.size() && text[at + 2] != ' ' && text[at + 2] != '\n') {
      text.erase(at + 1, 1);
    }
  }
  return text;
}

TEST(ProfileExamples, GenericShowsEveryKeyWithTheDefaultOrAValidValue) {
  const std::string text =
      switched_on(content_of(std::filesystem::path(VPNRUN_EXAMPLES) / "generic.toml"));
  const Profile profile = parse_profile(text, "generic", "/p/generic.toml");
  EXPECT_EQ(profile.tunnel.credentials, "/p/provider.auth");
  EXPECT_THAT(profile.access.groups, ElementsAre("vpnrun"));
  for (const char* key :
       {"description", "type",       "config",    "credentials",     "subnet",
        "uplink",      "servers",    "search",    "capture",         "no_new_privs",
        "i386",        "users",      "groups",    "from_namespaces", "expose",
        "inbound",     "up_outside", "up_inside", "down_inside",     "down_outside"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(key) + " = "));
  }
}

}  // namespace
}  // namespace vpnrun::profile
