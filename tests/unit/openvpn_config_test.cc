// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_config.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "profiles/openvpn_lexer.h"

namespace vpnrun::profile {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kPath = "/p/work.ovpn";

std::string pem(const std::string& label = "CERTIFICATE") {
  return "-----BEGIN " + label + "-----\nTUlJ\n-----END " + label + "-----\n";
}
/// Of the kind that each of them takes.
std::string pem_for(const std::string& directive) {
  if (directive == "key") {
    return pem("PRIVATE KEY");
  }
  if (directive == "crl-verify") {
    return pem("X509 CRL");
  }
  if (directive == "tls-crypt-v2") {
    return pem("OpenVPN tls-crypt-v2 client key");
  }
  return directive.starts_with("tls-") || directive == "secret" ? pem("OpenVPN Static key V1")
                                                                : pem();
}
// NOLINTBEGIN(cert-err58-cpp,readability-identifier-naming): without memory no test runs
const std::string kPem = pem();
const std::string kStatic = pem("OpenVPN Static key V1");
// NOLINTEND(cert-err58-cpp,readability-identifier-naming)
constexpr const char* kPkcs12 =
    "\x30\x0F\x02\x01\x03\x30\x0A\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";

using Files = std::map<std::string, std::string>;

OpenvpnConfig parse(const std::string& text, const Files& files = {}) {
  return parse_openvpn_config(text, kPath, [&files](std::string_view, const std::string& name) {
    const auto found = files.find(name);
    if (found == files.end()) {
      throw Error("cannot read '/p/" + name + "': No such file or directory");
    }
    return found->second;
  });
}

/// "line 3: 'up': reason" for each that is left out.
std::vector<std::string> notes(const OpenvpnConfig& config) {
  std::vector<std::string> lines;
  for (const LeftOut& entry : config.left_out) {
    lines.push_back(
        formatted("line {}: '{}': {}", entry.lines.at(0), entry.directive, entry.reason));
  }
  return lines;
}

/// With a server in front, in a line of its own.
OpenvpnConfig parse_rest(const std::string& text, const Files& files = {}) {
  return parse("remote vpn.example.org\n" + text, files);
}

Error error_of(const std::string& text, const Files& files = {}) {
  try {
    (void)parse(text, files);
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

std::string message_of(const std::string& text, const Files& files = {}) {
  return error_of(text, files).what();
}

TEST(OpenvpnConfig, ReadsAProvidersFile) {
  const OpenvpnConfig config = parse(
      "client\ndev tun0\nproto udp\nnobind\npersist-key\npersist-tun\nremote-cert-tls server\n"
      "reneg-sec 0\ndhcp-option DNS 10.8.0.1\nredirect-gateway\nverb 5\nauth-user-pass\n"
      "ca ca.crt\ncert user.crt\nkey user.key\nkeysize 256\nremote se.example.org 443\n",
      {{"ca.crt", kPem}, {"user.crt", kPem}, {"user.key", pem_for("key")}});
  EXPECT_EQ(config.text,
            "client\nnobind\nremote-cert-tls server\nreneg-sec 0\ndhcp-option DNS 10.8.0.1\n"
            "verb 5\n<ca>\n" +
                kPem + "</ca>\n<cert>\n" + kPem + "</cert>\n<key>\n" + pem_for("key") + "</key>\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"se.example.org", 443, Transport::kUdp}));
  EXPECT_TRUE(config.needs_user_pass);
  EXPECT_EQ(config.user_pass_file, "");
  EXPECT_THAT(notes(config), Contains(StartsWith("line 6: 'persist-tun'")));
  EXPECT_THAT(notes(config), Contains(StartsWith("line 10: 'redirect-gateway'")));
}

TEST(OpenvpnConfig, HandsOnNothingThatTheCompanionSets) {
  const OpenvpnConfig config = parse(
      "dev tun\ndev-type tun\nproto tcp\nport 443\nremote a\nremote-random\nauth-user-pass x\n"
      "persist-tun\nuser nobody\ngroup nogroup\ndaemon\nroute 10.0.0.0 255.0.0.0\nmode p2p\n"
      "auth-retry interact\nconnect-retry-max 1\n");
  EXPECT_EQ(config.text, "");
  EXPECT_TRUE(config.remote_random);
}

TEST(OpenvpnConfig, NamesTheFileAndTheLine) {
  EXPECT_EQ(message_of("client\n\nplugin /evil.so\n"),
            "/p/work.ovpn:3: directive 'plugin' is refused: it loads code from a file; remove the "
            "line");
}

TEST(OpenvpnConfig, NamesTheNearestDirectiveForAnUnknownOne) {
  EXPECT_EQ(message_of("remtoe a\n"),
            "/p/work.ovpn:1: unknown directive 'remtoe'; did you mean 'remote'?");
  EXPECT_THAT(message_of("frobnicate\n"),
              AllOf(HasSubstr("unknown directive 'frobnicate'"), Not(HasSubstr("did you"))));
}

TEST(OpenvpnConfig, NeverRepeatsALineOfAKeyWhoseTagsAreBroken) {
  const std::string line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgD0";
  EXPECT_THAT(message_of("<key>\n</key>\n"), Not(HasSubstr("no error")));
  EXPECT_THAT(message_of(line + "\n"),
              AllOf(HasSubstr("unknown directive"), Not(HasSubstr("MIGH"))));
  EXPECT_THAT(message_of("<key>\n-----BEGIN PRIVATE KEY-----\n" + line + "\x01\n"),
              Not(HasSubstr("MIGH")));
}

// --- lines and words -----------------------------------------------------------------------------

TEST(OpenvpnLexer, SplitsAsOpenvpnDoes) {
  EXPECT_THAT(split_words("  remote\thost  1194 "), ElementsAre("remote", "host", "1194"));
  EXPECT_THAT(split_words("a \"b c\" 'd \"e\\'"), ElementsAre("a", "b c", "d \"e\\"));
  EXPECT_THAT(split_words(R"(a b\ c "d\"e" \\f)"), ElementsAre("a", "b c", "d\"e", "\\f"));
  EXPECT_THAT(split_words("a \"\""), ElementsAre("a", ""));
  EXPECT_THAT(split_words("a\"b c\"d"), ElementsAre("a\"b", "c\"d"));
}

TEST(OpenvpnLexer, CommentsStartAtAWord) {
  EXPECT_THAT(split_words("# all of it"), IsEmpty());
  EXPECT_THAT(split_words("; all of it"), IsEmpty());
  EXPECT_THAT(split_words("verb 3 # rest 'unclosed"), ElementsAre("verb", "3"));
  EXPECT_THAT(split_words("auth-token a#b;c"), ElementsAre("auth-token", "a#b;c"));
  EXPECT_THAT(split_words("a '#b' ;c"), ElementsAre("a", "#b"));
  EXPECT_THAT(split_words("# Latin-1 \xE4 in a comment"), IsEmpty());
}

bool refuses(const std::string& line) {
  try {
    (void)split_words(line);
  } catch (const Error&) {
    return true;
  }
  return false;
}

TEST(OpenvpnLexer, RefusesWhatOpenvpnWouldReadOtherwise) {
  for (const std::string& line : {"a \"b"s, "a 'b"s, "a b\\"s, R"(a C:\new)"s, R"(a "C:\new")"s}) {
    EXPECT_TRUE(refuses(line)) << line;
  }
}

TEST(OpenvpnLexer, ReadsSixteenWordsAndNothingBehindThem) {
  EXPECT_THAT(split_words("a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"), ::testing::SizeIs(16));
  EXPECT_THAT(split_words("a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 \"18"),
              ::testing::SizeIs(16));
}

TEST(OpenvpnLexer, TakesWhatIsABlankToIsspace) {
  EXPECT_THAT(split_words("a\fb\vc\rd"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(split_words("\f"), IsEmpty());
}

TEST(OpenvpnLexer, TakesBytesOfAnyEncoding) {
  EXPECT_THAT(split_words("a \xFF"), ElementsAre("a", "\xFF"));
  EXPECT_EQ(join_words({"a", "caf\xE9"}), "a \"caf\xE9\"\n");
  for (const std::string& word : {"b\x01"s, "b\x1b[2J"s, "b\u2028c"s, "b\rc"s, "b\nc"s}) {
    EXPECT_THROW((void)join_words({"a", word}), Error) << word;
  }
}

TEST(OpenvpnLexer, RefusesABackslashAndABlankAtTheStartOfAWord) {
  // OpenVPN drops both: 'a \ b' is two words to it, and 'a \ #b' one and a comment.
  for (const std::string& line : {R"(a \ b)"s, R"(a \ #b)"s, R"(\ a)"s, "a \\\tb"s, R"("a"\ b)"s}) {
    EXPECT_TRUE(refuses(line)) << line;
  }
  EXPECT_THAT(split_words(R"(a b\ c "\ d")"), ElementsAre("a", "b c", " d"));
}

TEST(OpenvpnLexer, WhatItJoinsItSplitsIntoTheSameWords) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"plain", "words", "1"},
        {"blanks", "a b", "\t", ""},
        {"marks", "\"", "'", "\\", "\\\"", "#x", ";y", "a;b#c"},
        {"utf8", "Zürich", "東京"},
        {"tags", "<ca>", "</ca>"}}) {
    const std::string line = join_words(words);
    ASSERT_TRUE(line.ends_with('\n'));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(split_words(line.substr(0, line.size() - 1)), words) << line;
  }
}

TEST(OpenvpnLexer, RefusesALineThatOpenvpnWouldTakeApart) {
  EXPECT_EQ(join_words({"a", std::string(252, 'x')}).size(), kOpenvpnLineMax);
  EXPECT_THROW((void)join_words({"a", std::string(253, 'x')}), Error);
}

TEST(OpenvpnConfig, ATrickyLongLineDoesNotBecomeADirective) {
  // OpenVPN's own reader would see "up /bin/evil" as a line.
  EXPECT_THAT(message_of("remote a\nauth-token " + std::string(244, 'x') + "up /bin/evil\n"),
              HasSubstr("longer than"));
  EXPECT_THAT(
      message_of("remote a\n<ca>\n-----BEGIN CERTIFICATE-----\n" + std::string(255, 'A') + "</ca>" +
                 std::string(250, 'A') + "up /bin/evil\n-----END CERTIFICATE-----\n</ca>\n"),
      HasSubstr("longer than"));
}

TEST(OpenvpnConfig, RefusesEveryLineThatOpenvpnCannotRead) {
  // A comment and blanks, too; a mark and both bytes of a line end count.
  const std::string line = "remote a #" + std::string(244, 'x');
  EXPECT_EQ(parse(line + "\n").remotes.size(), 1U);
  EXPECT_EQ(parse(line + "x").remotes.size(), 1U);
  for (const std::string& text : {line + "x\n", line + "\r\n", "\xEF\xBB\xBF" + line + "\n",
                                  "remote a\n" + std::string(255, ' ') + "\n"}) {
    EXPECT_THAT(message_of(text), HasSubstr("longer than"));
  }
}

TEST(OpenvpnConfig, AcceptsByteOrderMarkWindowsLineEndsAndDashes) {
  const OpenvpnConfig config = parse(
      "\xEF\xBB\xBF"
      "client\r\n--remote a 443 tcp\r\n<ca>\r\n" +
      std::string("-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n") +
      "</ca>\r\nverb 3");
  EXPECT_EQ(config.text,
            "client\n<ca>\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
            "CERTIFICATE-----\n</ca>\nverb 3\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"a", 443, Transport::kTcp}));
}

TEST(OpenvpnConfig, RefusesControlCharactersAndNul) {
  EXPECT_THAT(message_of("remote a\nsetenv UV_X \"a\rup x\"\n"), HasSubstr(":2: a control"));
  EXPECT_THAT(message_of("remote a\n# \0\n"s), HasSubstr(":2: a control"));
  EXPECT_THAT(message_of("remote a\nauth-token \x1b[0m\n"), HasSubstr(":2: a control"));
  EXPECT_THAT(message_of("remote a\x7f\n"), HasSubstr(":1: 'a?' is not a host"));
}

TEST(OpenvpnConfig, QuotesAgainWhatItHandsOn) {
  const OpenvpnConfig config = parse_rest(
      "verify-x509-name \"C=SE, CN=my server\" subject\nstatic-challenge 'your \"PIN\"' 1\n");
  EXPECT_EQ(config.text,
            "verify-x509-name \"C=SE, CN=my server\" subject\n"
            "static-challenge \"your \\\"PIN\\\"\" 1\n");
}

TEST(OpenvpnConfig, SurvivesHugeAndStrangeInput) {
  EXPECT_THAT(message_of(std::string(1U << 20U, 'x')), HasSubstr("longer than"));
  EXPECT_THAT(message_of(std::string(254, 'x')), HasSubstr("unknown directive (not shown"));
  EXPECT_THAT(message_of(std::string(1U << 20U, '\n')), HasSubstr("the file is empty"));
  EXPECT_THAT(message_of("<connection>\n<connection>\n"), HasSubstr("is not closed"));
  EXPECT_THAT(message_of("<>\n"), HasSubstr("unknown directive"));
  EXPECT_THAT(message_of("--\n"), HasSubstr("unknown directive"));
  EXPECT_THAT(message_of("\"\"\n"), HasSubstr("unknown directive"));
}

// --- servers -------------------------------------------------------------------------------------

TEST(OpenvpnRemotes, TakePortAndProtocolFromTheWholeFile) {
  EXPECT_THAT(
      parse("remote a\nremote b 443\nremote c 80 tcp-client\nproto tcp4\nport 1195\n").remotes,
      ElementsAre(Remote{"a", 1195, Transport::kTcp}, Remote{"b", 443, Transport::kTcp},
                  Remote{"c", 80, Transport::kTcp}));
  EXPECT_THAT(parse("rport 53\nremote a\n").remotes, ElementsAre(Remote{"a", 53, Transport::kUdp}));
  EXPECT_THAT(parse("remote a\n").remotes, ElementsAre(Remote{"a", 1194, Transport::kUdp}));
}

TEST(OpenvpnRemotes, AcceptNamesAndAddresses) {
  EXPECT_THAT(
      parse("remote VPN-1.example_x.org\nremote 192.0.2.1\nremote 2001:db8::1 443 udp6\n").remotes,
      ElementsAre(Remote{"VPN-1.example_x.org", 1194, Transport::kUdp},
                  Remote{"192.0.2.1", 1194, Transport::kUdp},
                  Remote{"2001:db8::1", 443, Transport::kUdp}));
}

TEST(OpenvpnRemotes, RefuseWhatIsNone) {
  for (const char* line :
       {"remote", "remote a 0", "remote a 65536", "remote a gopher", "remote a 443 sctp",
        "remote a 443 tcp-server", "remote a 443 udp extra", "remote -a", "remote \"a b\"",
        "remote \"\"", "remote a/b", "remote a\\ b", "remote 'a;b'", "proto tcp-server", "port x",
        "port", "proto"}) {
    EXPECT_THAT(message_of(std::string(line) + "\nremote ok\n"), StartsWith("/p/work.ovpn:1: "))
        << line;
  }
}

TEST(OpenvpnRemotes, AreRequired) {
  EXPECT_EQ(message_of("client\nverb 3\n"),
            "/p/work.ovpn:2: the file names no server: expected 'remote HOST [PORT [PROTOCOL]]'");
  EXPECT_THAT(message_of("# nothing\n"), StartsWith("/p/work.ovpn:1: the file names no server"));
  EXPECT_THAT(message_of(""), StartsWith("/p/work.ovpn:1: the file is empty"));
}

TEST(OpenvpnRemotes, AreFilteredByAForcedProtocol) {
  EXPECT_THAT(parse("remote a 1 udp\nremote b 2 tcp\nproto-force tcp\n").remotes,
              ElementsAre(Remote{"b", 2, Transport::kTcp}));
  EXPECT_THAT(message_of("remote a 1 udp\nproto-force tcp\n"), HasSubstr("leaves no server"));
}

TEST(OpenvpnRemotes, ComeOutOfConnectionBlocksInOrder) {
  const OpenvpnConfig config = parse(
      "proto tcp\n<connection>\nremote a\nport 443\nnobind\n</connection>\n"
      "proto udp\n<connection>\nremote b 53\n</connection>\n");
  EXPECT_THAT(config.remotes,
              ElementsAre(Remote{"a", 443, Transport::kTcp}, Remote{"b", 53, Transport::kUdp}));
  EXPECT_EQ(config.text, "nobind\n");
}

TEST(OpenvpnRemotes, OutsideOfConnectionBlocksAreLeftOutIfThereAreBlocks) {
  const OpenvpnConfig config =
      parse("remote a\n<connection>\nremote b 53\n</connection>\nremote c\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"b", 53, Transport::kUdp}));
  EXPECT_THAT(notes(config),
              AllOf(Contains(StartsWith("line 1: 'remote'")), Contains(StartsWith("line 5: "))));
}

TEST(OpenvpnRemotes, OfAConnectionBlockTakeWhatStandsLast) {
  EXPECT_THAT(parse("<connection>\nport 1\nproto tcp\nremote a 443 udp\n</connection>\n"
                    "<connection>\nremote b 443 udp\nport 53\nproto tcp\n</connection>\n")
                  .remotes,
              ElementsAre(Remote{"a", 443, Transport::kUdp}, Remote{"b", 53, Transport::kTcp}));
}

TEST(OpenvpnRemotes, OfAConnectionBlockEndWhereOpenvpnEndsIt) {
  for (const char* end : {"</connection>", " \t</connection>", "</connection> # x",
                          "</connection>x", "\v\f</connection>", "\r</connection>\r"}) {
    EXPECT_THAT(parse(formatted("<connection>\nremote a\n{}\nport 99\n", end)).remotes,
                ElementsAre(Remote{"a", 1194, Transport::kUdp}))
        << end;
  }
  for (const char* no_end : {"'</connection>'", "--</connection>", "setenv opt </connection>",
                             "ignore-unknown-option x"}) {
    EXPECT_THAT(message_of(formatted("<connection>\nremote a\n{}\n", no_end)),
                Not(HasSubstr("no error")))
        << no_end;
  }
  EXPECT_THAT(message_of("<connection>\nremote a\n'</connection>'\n</connection>\n"),
              HasSubstr("</connection> without <connection>"));
}

TEST(OpenvpnRemotes, OfAConnectionBlockKnowNoOptionsToIgnore) {
  EXPECT_THAT(message_of("ignore-unknown-option x\n<connection>\nremote a\nx\n</connection>\n"),
              HasSubstr(":4: unknown directive"));
}

TEST(OpenvpnRemotes, LeaveOutWhatComesTooLateToBeForThem) {
  const std::string block = "<connection>\nremote a\n</connection>\n";
  for (const char* line : {"mssfix 1300", "tun-mtu 1400", "fragment 1200", "connect-timeout 9",
                           "explicit-exit-notify", "setenv SERVER_POLL_TIMEOUT 4"}) {
    const OpenvpnConfig config = parse(block + line + "\n");
    EXPECT_EQ(config.text, "") << line;
    EXPECT_THAT(notes(config), ElementsAre(HasSubstr("it comes after the <connection>"))) << line;
    EXPECT_THAT(parse(std::string(line) + "\n" + block).remotes,
                ElementsAre(Remote{"a"s, 1194, Transport::kUdp}));
  }
}

TEST(OpenvpnRemotes, SayGoodbyeOnlyIfAllBlocksDo) {
  const std::string with = "<connection>\nremote a\nexplicit-exit-notify 2\n</connection>\n";
  const std::string without = "<connection>\nremote a\n</connection>\n";
  EXPECT_EQ(parse(with + with).text, "explicit-exit-notify 2\n");
  const OpenvpnConfig config = parse(with + without);
  EXPECT_EQ(config.text, "");
  EXPECT_THAT(notes(config), Contains(HasSubstr("'explicit-exit-notify'")));
}

TEST(OpenvpnRemotes, OfAConnectionBlockTakeNothingThatStandsBehindIt) {
  EXPECT_THAT(parse("<connection>\nremote a\n</connection>\nport 99\nproto tcp\n").remotes,
              ElementsAre(Remote{"a", 1194, Transport::kUdp}));
}

TEST(OpenvpnRemotes, RefuseOtherThingsInAConnectionBlock) {
  EXPECT_THAT(message_of("<connection>\nremote a\nverb 3\n</connection>\n"),
              AllOf(StartsWith("/p/work.ovpn:3: "), HasSubstr("not supported in a <connection>")));
  EXPECT_THAT(message_of("<connection>\nremote a\nup /x\n</connection>\n"), HasSubstr("refused"));
  EXPECT_THAT(message_of("<connection>\nremote a\n<ca>\nx\n</ca>\n</connection>\n"),
              HasSubstr("<ca> inside of <connection>"));
  EXPECT_THAT(message_of("<connection>\nremote a\n"), HasSubstr("<connection> is not closed"));
  EXPECT_THAT(message_of("</connection>\n"), HasSubstr("</connection> without <connection>"));
}

TEST(OpenvpnRemotes, OfSeveralInABlockTheLastCounts) {
  EXPECT_THAT(parse("<connection>\nremote a 1\nremote b\n</connection>\n").remotes,
              ElementsAre(Remote{"b", 1, Transport::kUdp}));
  EXPECT_THAT(message_of("remote a\n<connection>\nport 5\n</connection>\n"),
              HasSubstr(":2: a <connection> block needs one 'remote'"));
}

TEST(OpenvpnRemotes, GiveTheClientWhatAllBlocksAgreeIn) {
  const std::string small = "<connection>\nremote a\nmssfix 1300\nfragment 1200\n</connection>\n";
  const std::string other = "<connection>\nremote b\nmssfix 1200\nfragment 1200\n</connection>\n";
  EXPECT_EQ(parse(small + small).text, "fragment 1200\nmssfix 1300\n");
  const OpenvpnConfig config = parse(small + other);
  EXPECT_EQ(config.text, "fragment 1200\n");
  EXPECT_THAT(notes(config), ElementsAre(HasSubstr("'mssfix': not all <connection> blocks")));
}

TEST(OpenvpnRemotes, AreLeftOutIfTheyFragmentOtherwiseThanTheFirst) {
  const OpenvpnConfig config = parse(
      "<connection>\nremote a\nfragment 1200\n</connection>\n"
      "<connection>\nremote b\n</connection>\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"a", 1194, Transport::kUdp}));
  EXPECT_EQ(config.text, "fragment 1200\n");
  EXPECT_THAT(notes(config), ElementsAre(StartsWith("line 5: 'connection': its 'fragment'")));
}

std::string keyed(const std::string& host, const std::string& lines) {
  return "<connection>\nremote " + host + "\n" + lines + "</connection>\n";
}
std::string static_block(const std::string& name, const std::string& key) {
  return "<" + name + ">\n" + key + "</" + name + ">\n";
}

TEST(OpenvpnRemotes, MayHaveAKeyOfTheirOwn) {
  const std::string own = static_block("tls-crypt", kStatic);
  EXPECT_EQ(parse(keyed("a", own)).text, own);
  EXPECT_EQ(parse(keyed("a", "tls-crypt ta.key\n"), {{"ta.key", kStatic}}).text, own);
  EXPECT_EQ(parse(keyed("a", "tls-auth ta.key 1\n"), {{"ta.key", kStatic}}).text,
            "key-direction 1\n" + static_block("tls-auth", kStatic));
  const std::string outside = "key-direction 1\n" + static_block("tls-auth", kStatic);
  EXPECT_EQ(parse(outside + keyed("a", "")).text, outside) << "that of the file is for all";
  EXPECT_EQ(parse(keyed("a", "") + outside).text, outside);
  EXPECT_EQ(parse(outside + keyed("a", own)).text, own) << "but for those that have one";
  EXPECT_EQ(parse(outside + keyed("a", "key-direction 0\n")).text, outside)
      << "a direction alone does not count";
  EXPECT_EQ(
      parse(outside + keyed("a", "key-direction 1\n" + static_block("tls-auth", kStatic))).text,
      static_block("tls-auth", kStatic))
      << "nor does one in front of the key";
}

TEST(OpenvpnRemotes, AreLeftOutIfTheirKeyIsNotThatOfTheFirst) {
  const std::string crypt = static_block("tls-crypt", kStatic);
  const std::string auth = static_block("tls-auth", kStatic) + "key-direction 1\n";
  const OpenvpnConfig config = parse(keyed("a", crypt) + keyed("b", auth) + keyed("c", crypt));
  EXPECT_THAT(config.remotes,
              ElementsAre(Remote{"a", 1194, Transport::kUdp}, Remote{"c", 1194, Transport::kUdp}));
  EXPECT_EQ(config.text, crypt);
  EXPECT_THAT(notes(config),
              ElementsAre(HasSubstr("'connection': its key of the control channel")));
  EXPECT_THAT(parse(crypt + keyed("a", auth) + keyed("b", "")).remotes, SizeIs(1));
  EXPECT_THAT(message_of(keyed("a", crypt + auth)),
              HasSubstr("'tls-auth' and 'tls-crypt' in one <connection> block exclude"));
}

TEST(OpenvpnRemotes, EndBeforeABlockInThemDoes) {
  EXPECT_THAT(message_of("<connection>\nremote a\n<tls-crypt>\n" + kStatic +
                         "</connection>\n</tls-crypt>\n"),
              HasSubstr(":3: the block is not closed: expected '</tls-crypt>'"));
}

TEST(OpenvpnFiles, HaveNothingOfWhatIsForServersInAKey) {
  const std::string key =
      "-----BEGIN OpenVPN tls-crypt-v2 client key-----\nAAAA\n"
      "-----END OpenVPN tls-crypt-v2 client key-----\n";
  for (const char* word : {"", " force-cookie", " allow-noncookie"}) {
    EXPECT_EQ(parse_rest("tls-crypt-v2 v2.key"s + word + "\n", {{"v2.key", key}}).text,
              static_block("tls-crypt-v2", key));
  }
  EXPECT_THAT(message_of("tls-crypt-v2 v2.key 1\n"), HasSubstr("takes one file here"));
}

TEST(OpenvpnFiles, SayWhereASecretIs) {
  const std::string key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(parse_rest("nobind\n" + static_block("key", key)).secret_line, 3U);
  EXPECT_EQ(parse_rest(static_block("secret", kStatic)).secret_line, 2U);
  EXPECT_EQ(parse_rest(static_block("tls-auth", kStatic)).secret_line, 0U)
      << "all customers of the provider have it";
  EXPECT_EQ(parse_rest("key k\n", {{"k", key}}).secret_line, 0U) << "a file of its own";
}

TEST(OpenvpnRemotes, ThatNeedAProxyAreLeftOutIfThereAreOthers) {
  const std::string proxied =
      "<connection>\nremote a 443 tcp\nhttp-proxy 192.0.2.1 8080\n"
      "http-proxy-option AGENT x\n</connection>\n";
  const OpenvpnConfig config = parse(proxied + "<connection>\nremote b\n</connection>\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"b", 1194, Transport::kUdp}));
  EXPECT_THAT(notes(config), ElementsAre(StartsWith("line 1: 'connection': its server needs a "
                                                    "proxy")));
  EXPECT_THAT(message_of(proxied + proxied), AllOf(HasSubstr("/p/work.ovpn:4: a proxy is refused"),
                                                   HasSubstr("\n/p/work.ovpn:9: ")));
  EXPECT_THAT(message_of("remote a\nsocks-proxy 192.0.2.1\n"),
              HasSubstr("directive 'socks-proxy' is refused: proxies are not supported"));
}

// --- files and blocks ----------------------------------------------------------------------------

TEST(OpenvpnFiles, BecomeInlineBlocks) {
  for (const char* name : {"ca", "cert", "key", "extra-certs", "crl-verify", "tls-auth",
                           "tls-crypt", "tls-crypt-v2", "secret"}) {
    EXPECT_EQ(parse_rest(std::string(name) + " sub/x.pem\n", {{"sub/x.pem", pem_for(name)}}).text,
              "<" + std::string(name) + ">\n" + pem_for(name) + "</" + name + ">\n");
  }
}

TEST(OpenvpnFiles, AreAskedForAsTheyAreWritten) {
  EXPECT_THAT(parse_rest("ca /k/ca.crt\n", {{"/k/ca.crt", kPem}}).text, StartsWith("<ca>\n"));
  EXPECT_THAT(parse_rest("ca \"my ca.crt\"\n", {{"my ca.crt", kPem}}).text, StartsWith("<ca>\n"));
}

TEST(OpenvpnFiles, KeepTheDirectionOfStaticKeys) {
  EXPECT_EQ(parse_rest("tls-auth ta.key 1\n", {{"ta.key", kStatic}}).text,
            "key-direction 1\n<tls-auth>\n" + kStatic + "</tls-auth>\n");
  EXPECT_THAT(parse_rest("secret s.key 0\n", {{"s.key", kStatic}}).text,
              AllOf(StartsWith("<secret>\n"), EndsWith("</secret>\nkey-direction 0\n")));
  EXPECT_THAT(message_of("tls-auth ta.key 2\n"), HasSubstr("is 0 or 1"));
  EXPECT_THAT(message_of("key-direction 2\n"), HasSubstr("is 0 or 1"));
  EXPECT_EQ(parse_rest("key-direction 0\nkey-direction 1\n").text, "key-direction 1\n");
}

TEST(OpenvpnFiles, UnderstandTheOldInlineMarker) {
  EXPECT_EQ(
      parse_rest("ca [inline]\ntls-auth [inline] 1\n<tls-auth>\n" + kStatic + "</tls-auth>\n").text,
      "key-direction 1\n<tls-auth>\n" + kStatic + "</tls-auth>\n");
}

TEST(OpenvpnFiles, ReportTheLineThatNamesAFileThatCannotBeUsed) {
  EXPECT_EQ(message_of("remote a\nca gone.crt\n"),
            "/p/work.ovpn:2: 'ca' file 'gone.crt': cannot read '/p/gone.crt': No such file or "
            "directory");
  EXPECT_THAT(message_of("ca x\n", {{"x", "no pem here"}}), HasSubstr("it has no certificate ("));
  EXPECT_THAT(message_of("ca\n"), HasSubstr("takes one file"));
  EXPECT_THAT(message_of("crl-verify crls dir\n"), HasSubstr("folder of lists is not supported"));
}

TEST(OpenvpnFiles, KeepOnlyThePemOfAFile) {
  const std::string chatty = "Certificate:\n  Subject: CN=\xE4\nup /bin/evil\n</ca>\n" + kPem +
                             "\nbetween\n" + kPem + "after\n";
  EXPECT_EQ(parse_rest("ca x\n", {{"x", chatty}}).text, "<ca>\n" + kPem + kPem + "</ca>\n");
}

TEST(OpenvpnFiles, RefusePemThatCouldEndTheBlock) {
  const std::string head = "-----BEGIN CERTIFICATE-----\n";
  const std::string tail = "-----END CERTIFICATE-----\n";
  for (const std::string& inside : {"</ca>\nup /bin/evil\n"s, "  </ca>\n"s, "AA\x01\n"s, "AA\0\n"s,
                                    "AA<\n"s, "AA\rBB\n"s, std::string(300, 'A') + "\n"}) {
    const Files files = {{"x", formatted("{}{}{}", head, inside, tail)}};
    EXPECT_THAT(message_of("ca x\n", files), HasSubstr("is not PEM")) << inside;
  }
  EXPECT_THAT(message_of("ca x\n", {{"x", head + "AAAA\n"}}), HasSubstr("no '-----END"));
}

TEST(OpenvpnFiles, EncodePkcs12) {
  EXPECT_EQ(parse_rest("pkcs12 c.p12\n", {{"c.p12", kPkcs12}}).text,
            "<pkcs12>\nMA8CAQMwCgYJKoZIhvcNAQcB\n</pkcs12>\n");
  EXPECT_EQ(parse_rest("pkcs12 c.p12\n", {{"c.p12", kPkcs12 + std::string(42, 'a')}}).text.size(),
            std::string("<pkcs12>\n</pkcs12>\n").size() + 80 + 2);
}

TEST(OpenvpnBlocks, AreKept) {
  EXPECT_EQ(parse_rest("<ca>\n" + kPem + "</ca>\n").text, "<ca>\n" + kPem + "</ca>\n");
  EXPECT_EQ(parse_rest("<peer-fingerprint>\n# mine\nAB:cd:01\n\n</peer-fingerprint>\n").text,
            "<peer-fingerprint>\nAB:cd:01\n</peer-fingerprint>\n");
  EXPECT_EQ(parse_rest("<pkcs12>\nAP8Q\neg==\n</pkcs12>\n").text,
            "<pkcs12>\nAP8Qeg==\n</pkcs12>\n");
}

TEST(OpenvpnBlocks, AreRefusedIfTheyAreNotWhatTheySay) {
  EXPECT_THAT(message_of("<peer-fingerprint>\nup /x\n</peer-fingerprint>\n"),
              HasSubstr("is not a fingerprint"));
  EXPECT_THAT(message_of("<pkcs12>\nAP8=Qeg\n</pkcs12>\n"), HasSubstr("is not base64"));
  EXPECT_THAT(message_of("<pkcs12>\n</pkcs12>\n"), HasSubstr("it is empty"));
  EXPECT_THAT(message_of("<verb>\n3\n</verb>\n"), HasSubstr("'verb' has no block"));
  EXPECT_THAT(message_of("<up>\n/x\n</up>\n"), HasSubstr("'up' has no block"));
  EXPECT_THAT(message_of("<frobnicate>\n"), HasSubstr("unknown block <frobnicate>"));
}

TEST(OpenvpnBlocks, MustBeClosed) {
  EXPECT_EQ(message_of("remote a\n<ca>\n" + kPem),
            "/p/work.ovpn:2: the block is not closed: expected '</ca>'");
}

TEST(OpenvpnBlocks, EndWhereOpenvpnEndsThem) {
  for (const char* end : {"\v</ca>", "\f\t</ca>", "\r</ca>", "</ca>x y", "</ca> # z"}) {
    // Ours would have taken 'verb 1' for chatter of the block.
    EXPECT_EQ(parse_rest(formatted("<ca>\n{}{}\nverb 1\n", kPem, end)).text,
              formatted("<ca>\n{}</ca>\nverb 1\n", kPem));
  }
}

TEST(OpenvpnBlocks, AreRefusedWhereOpenvpnWouldTakeTheirLinesApart) {
  const std::string start = "remote a\n<ca>\n" + std::string(kPem);
  for (const std::string& line : {std::string(255, 'x') + "</ca>", std::string(300, ' ') + "</ca>",
                                  "</ca>" + std::string(250, ' ') + "up /bin/evil", "x\0"s}) {
    EXPECT_THAT(message_of(start + line + "\n</ca>\n"),
                ::testing::AnyOf(HasSubstr("longer than"), HasSubstr("a control character")))
        << line;
  }
  EXPECT_EQ(parse(start + std::string(400, 'x') + "\n</ca>\n").remotes.size(), 1U);
}

TEST(OpenvpnBlocks, RefusePemThatIsNoneToOpenvpn) {
  for (const char* blank : {" ", "\t"}) {
    const Files files = {{"x", formatted("{}{}", blank, kPem)}};
    EXPECT_THAT(message_of("ca x\n", files), HasSubstr("has blanks before"));
  }
  EXPECT_THAT(
      message_of("<ca>\n-----BEGIN CERTIFICATE-----\n  AAAA\n -----END CERTIFICATE-----\n</ca>\n"),
      HasSubstr("has blanks before"));
}

TEST(OpenvpnBlocks, RefuseCredentialsAndSayWhereTheyBelong) {
  const Error error = error_of("<auth-user-pass>\nalice\nhunter2\n</auth-user-pass>\n");
  EXPECT_THAT(error.what(), AllOf(HasSubstr("credentials"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(error.hint(), HasSubstr("'credentials' in [tunnel]"));
}

// --- directives with rules of their own
// ------------------------------------------------------------

TEST(OpenvpnConfig, FindsTheCredentialsFile) {
  const OpenvpnConfig config = parse_rest("auth-user-pass login.txt\n");
  EXPECT_TRUE(config.needs_user_pass);
  EXPECT_EQ(config.user_pass_file, "login.txt");
  EXPECT_EQ(config.user_pass_line, 2U);
  EXPECT_FALSE(parse_rest("verb 3\n").needs_user_pass);
}

TEST(OpenvpnConfig, TakesLayerThreeDevicesOnly) {
  EXPECT_THAT(message_of("dev tap\n"), HasSubstr("only layer 3"));
  EXPECT_THAT(message_of("dev tap0\n"), HasSubstr("only layer 3"));
  EXPECT_THAT(message_of("dev null\n"), HasSubstr("only layer 3"));
  EXPECT_THAT(message_of("dev vpn0\ndev-type tap\n"), HasSubstr("only layer 3"));
  EXPECT_THAT(message_of("remote a\ndev vpn0\n"), HasSubstr("cannot tell the type"));
  EXPECT_EQ(parse_rest("dev vpn0\ndev-type tun\n").text, "");
}

TEST(OpenvpnConfig, PassesHarmlessVariablesOnly) {
  const OpenvpnConfig config = parse_rest(
      "setenv UV_ID abc\nsetenv IV_GUI_VER \"x 1\"\nsetenv CLIENT_CERT 0\n"
      "setenv FORWARD_COMPATIBLE 1\nsetenv LD_PRELOAD /x.so\nsetenv FRIENDLY_NAME \"My VPN\"\n"
      "setenv \"UV_a b\" 1\nsetenv-safe x y\n");
  EXPECT_EQ(config.text,
            "setenv UV_ID abc\nsetenv IV_GUI_VER \"x 1\"\nsetenv CLIENT_CERT 0\n"
            "setenv FORWARD_COMPATIBLE 1\n");
  EXPECT_THAT(notes(config), Contains(StartsWith("line 6: 'setenv LD_PRELOAD'")));
}

TEST(OpenvpnConfig, JudgesAnOptionalDirectiveLikeAnyOther) {
  const OpenvpnConfig config = parse_rest(
      "setenv opt block-outside-dns\nsetenv opt frobnicate 1\nsetenv opt data-ciphers AES-256-GCM\n"
      "setenv opt\nverb 3\n");
  EXPECT_EQ(config.text, "setenv opt data-ciphers AES-256-GCM\nverb 3\n");
  EXPECT_THAT(notes(config), Contains(StartsWith("line 3: 'frobnicate'")));
  EXPECT_EQ(parse_rest("setenv opt up /bin/evil\n").text, "");
  EXPECT_THAT(message_of("setenv opt plugin /x.so\n"), HasSubstr("'plugin' is refused"));
  EXPECT_THAT(message_of("setenv opt x\nfrobnicate\n"), HasSubstr(":2: unknown directive"));
}

TEST(OpenvpnConfig, OpensNoBlockBehindSetenvOpt) {
  // To OpenVPN the tag is a directive that it does not know, and what follows are directives.
  const OpenvpnConfig config = parse(
      "setenv opt <connection>\nremote a 1\nport 2\nsetenv opt </connection>\nsetenv opt <ca>\n"
      "verb 1\nsetenv opt </ca>\n");
  EXPECT_THAT(config.remotes, ElementsAre(Remote{"a", 1, Transport::kUdp}));
  EXPECT_EQ(config.text, "verb 1\n");
}

TEST(OpenvpnConfig, TakesSetenvOptForAVariableBehindSetenvOpt) {
  EXPECT_EQ(parse_rest("setenv opt setenv opt ping 6\nsetenv opt setenv UV_A 1\n").text,
            "setenv opt setenv UV_A 1\n");
}

TEST(OpenvpnConfig, KnowsTheDirectivesThatLookLikeVariables) {
  EXPECT_EQ(parse_rest("setenv PUSH_PEER_INFO\nsetenv SERVER_POLL_TIMEOUT 4\n").text,
            "push-peer-info\nserver-poll-timeout 4\n");
  EXPECT_EQ(parse_rest("setenv PUSH_PEER_INFO 1\n").text, "");
  EXPECT_THAT(message_of("setenv GENERIC_CONFIG\n"), HasSubstr("to be completed first"));
}

TEST(OpenvpnConfig, DropsUnknownDirectivesThatTheFileAnnounces) {
  const OpenvpnConfig config = parse_rest("ignore-unknown-option foo bar up\nfoo 1\nbar\n");
  EXPECT_EQ(config.text, "");
  EXPECT_EQ(parse_rest("ignore-unknown-option up\nup /x\n").text, "");
  EXPECT_THAT(message_of("ignore-unknown-option plugin\nplugin /x\n"),
              HasSubstr("'plugin' is refused"));
  EXPECT_THAT(message_of("foo\nignore-unknown-option foo\n"), HasSubstr(":1: unknown directive"));
}

TEST(OpenvpnConfig, PassesProvidersByKnownNameOnly) {
  EXPECT_EQ(parse_rest("providers legacy default\n").text, "providers legacy default\n");
  EXPECT_THAT(message_of("providers /tmp/evil\n"), HasSubstr("provider '/tmp/evil' is refused"));
}

TEST(OpenvpnConfig, PassesAddressesButNoNamesThatOpenvpnWouldLookUp) {
  EXPECT_EQ(parse_rest("ifconfig 10.8.0.2 10.8.0.1\nifconfig-ipv6 fd00::2/64 fd00::1\n").text,
            "ifconfig 10.8.0.2 10.8.0.1\nifconfig-ipv6 fd00::2/64 fd00::1\n");
  EXPECT_THAT(message_of("ifconfig me.example.org 10.8.0.1\n"), HasSubstr("not names"));
}

TEST(OpenvpnConfig, ReadsNumbersAsOpenvpnDoes) {
  for (const auto& [text, level] : {std::pair{"3;", "3"}, {"4x", "4"}, {"x", "0"}, {"-1", "0"}}) {
    EXPECT_EQ(parse_rest(formatted("verb '{}'\n", text)).text, formatted("verb {}\n", level));
  }
  for (const char* direction : {"-1", "1;", "x"}) {  // but for these
    EXPECT_THAT(message_of(formatted("tls-auth k '{}'\n", direction), {{"k", kStatic}}),
                HasSubstr("is 0 or 1"));
  }
}

TEST(OpenvpnConfig, NeverLetsOpenvpnLogKeys) {
  EXPECT_EQ(parse_rest("verb 6\n").text, "verb 6\n");
  EXPECT_EQ(parse_rest("verb 7\n").text, "");
  EXPECT_EQ(parse_rest("verb 11\n").text, "");
  EXPECT_EQ(parse_rest("verb 99999999999999999999\n").text, "");
}

TEST(OpenvpnConfig, RefusesServersAndScriptsForNames) {
  EXPECT_THAT(message_of("mode server\n"), HasSubstr("it is for servers"));
  EXPECT_EQ(parse_rest("dns-updown disable\n").text, "");
  EXPECT_EQ(parse_rest("dns-updown /x\n").text, "");
}

// --- credentials ---------------------------------------------------------------------------------

std::string credentials_error(const std::string& text) {
  try {
    (void)parse_credentials(text, "/p/a.auth");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Credentials, AreTheFirstTwoLines) {
  for (const char* text : {"alice\np w\n", "alice\r\np w\r\n", "alice\np w",
                           "\xEF\xBB\xBF"
                           "alice\np w\n\nmore\n"}) {
    const Credentials credentials = parse_credentials(text, "/p/a.auth");
    EXPECT_EQ(credentials.user_name, "alice");
    EXPECT_EQ(credentials.password, "p w");
  }
  EXPECT_EQ(parse_credentials("a\np\xE4ss\n", "x").password, "p\xE4ss");
}

TEST(Credentials, OfAConfigurationAreTwoLinesAndNoMore) {
  EXPECT_EQ(parse_login_file("alice\r\np w\r\n\r\n \t\n", "x").password, "p w");
  EXPECT_EQ(parse_login_file("alice\np w", "x").user_name, "alice");
  for (const char* text : {"a\nb\nc", "a\nb\n\n# c\n", "a\n", ""}) {
    EXPECT_THROW((void)parse_login_file(text, "x"), Error) << text;
  }
}

TEST(Credentials, AreNoKey) {
  EXPECT_EQ(credentials_error(pem("PRIVATE KEY")),
            "/p/a.auth: it has a key or a certificate in it");
  EXPECT_EQ(credentials_error("alice\npw\n" + pem()),
            "/p/a.auth: it has a key or a certificate in it");
}

TEST(Credentials, NameTheMissingLineAndNeverTheContent) {
  EXPECT_EQ(credentials_error(""), "/p/a.auth:1: the user name is missing");
  EXPECT_EQ(credentials_error("\nsecret\n"), "/p/a.auth:1: the user name is missing");
  EXPECT_EQ(credentials_error("secret\n"), "/p/a.auth:2: the password is missing");
  EXPECT_EQ(credentials_error("secret\n\n"), "/p/a.auth:2: the password is missing");
  EXPECT_EQ(credentials_error("a\nsecret\x01\n"),
            "/p/a.auth:2: the password has a control character");
  EXPECT_EQ(credentials_error("sec\0ret\nx\n"s),
            "/p/a.auth:1: the user name has a control character");
}

}  // namespace
}  // namespace vpnrun::profile
