// SPDX-License-Identifier: GPL-2.0-or-later
// Whole files as people have them, each with what becomes of it: what of it is left out and told,
// or in which words it is refused. Names and keys are valid for nothing.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"

namespace vpnrun::profile {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kFilePath = "/p/work.ovpn";

std::string part(const std::string& label) {
  return "-----BEGIN " + label + "-----\nTUlJ\n-----END " + label + "-----\n";
}
std::string inline_part(const std::string& name, const std::string& label) {
  return "<" + name + ">\n" + part(label) + "</" + name + ">\n";
}
std::string client_keys() {
  return inline_part("ca", "CERTIFICATE") + inline_part("cert", "CERTIFICATE") +
         inline_part("key", "PRIVATE KEY");
}
std::string static_key_of(const std::string& name) {
  return inline_part(name, "OpenVPN Static key V1");
}
/// Seven lines that every client has.
std::string client_start(const std::string& remote = "vpn.example.test 1194") {
  return "client\ndev tun\nproto udp\nremote " + remote +
         "\nnobind\nremote-cert-tls server\nverb 3\n";
}
/// With `lines` from line 8 on.
std::string client_with(const std::string& lines) {
  return client_start() + lines + client_keys();
}
/// Every other byte NUL, in the order that `first` says.
std::string two_bytes_each(const std::string& text, const std::string& mark, bool low_first) {
  std::string result = mark;
  for (const char c : text) {
    result += low_first ? std::string{c, '\0'} : std::string{'\0', c};
  }
  return result;
}

OpenvpnConfig judge(const std::string& text) {
  const auto read = [](std::string_view, const std::string& name) {
    const std::map<std::string, std::string> files = {
        {"ta.key", part("OpenVPN Static key V1")},
        {"v2.key", part("OpenVPN tls-crypt-v2 client key")},
        {"ca.crt", part("CERTIFICATE")}};
    const auto found = files.find(name);
    if (found == files.end()) {
      throw Error("cannot read '/p/" + name + "': No such file or directory");
    }
    return found->second;
  };
  return parse_openvpn_client(text, kFilePath, read);
}

/// Of the entries that a person is told.
std::string told(const OpenvpnConfig& config) {
  std::vector<LeftOut> entries;
  for (const LeftOut& entry : config.left_out) {
    if (entry.severity != Severity::kInfo) {
      entries.push_back(entry);
    }
  }
  return describe(entries);
}

struct FileOutcome {
  const char* name;
  std::string text;
  std::string outcome;  ///< what is told, or words of the refusal
};

std::string file_name_of(const ::testing::TestParamInfo<FileOutcome>& info) {
  return info.param.name;
}

// --- taken ---------------------------------------------------------------------------------------

class TakenFile : public ::testing::TestWithParam<FileOutcome> {};

TEST_P(TakenFile, IsTakenAndSaysWhatIsLeftOut) {
  try {
    const OpenvpnConfig config = judge(GetParam().text);
    EXPECT_EQ(told(config), GetParam().outcome);
    EXPECT_THAT(config.remotes, Not(IsEmpty()));
    EXPECT_THAT(config.text, HasSubstr("client\n"));
  } catch (const Error& error) {
    FAIL() << error.what();
  }
}

constexpr const char* kNames = "vpnrun sets addresses, routes and names itself";
constexpr const char* kHooks =
    "no program that a file names is run; [hooks] in the profile runs yours";
constexpr const char* kPrograms = "vpnrun runs no program that a file names";
constexpr const char* kServers = "it is for servers, and has no effect in a client";
constexpr const char* kManagement = "vpnrun drives the client through its own management socket";

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<FileOutcome> taken_files() {
  const auto of = [](const char* what, const std::string& reason) { return what + ": "s + reason; };
  return {
      {"ProviderForLinux",
       client_with("script-security 2\nup /etc/openvpn/update-resolv-conf\n"
                   "down /etc/openvpn/update-resolv-conf\n"),
       of("script-security (line 8)", kPrograms) + "; " + of("up, down (lines 9, 10)", kNames)},
      {"ResolverScriptOfSystemd",
       client_with("up \"/etc/openvpn/scripts/update-systemd-resolved tun0\"\ndown-pre\n"),
       of("up (line 8)", kNames)},
      {"ScriptSecurityAlone", client_with("script-security 1\n"),
       of("script-security (line 8)", kPrograms)},
      {"ScriptsOfTheirOwn",
       client_with("script-security 2\nroute-up \"/usr/local/bin/routes.sh tun0\"\n"
                   "ipchange /usr/local/bin/changed.sh\n"),
       of("script-security (line 8)", kPrograms) + "; " +
           of("route-up, ipchange (lines 9, 10)", kHooks)},
      {"ExportOfNetworkManager",
       "client\nremote vpn.example.test 1194 udp\ncipher AES-256-GCM\ndev tun\ndev-type tun\n"
       "auth-nocache\nscript-security 2\nuser nm-openvpn\ngroup nm-openvpn\n" +
           client_keys(),
       of("script-security (line 7)", kPrograms)},
      {"DhBlock", client_with(inline_part("dh", "DH PARAMETERS")), of("dh (line 8)", kServers)},
      {"DhFile", client_with("dh dh2048.pem\n"), of("dh (line 8)", kServers)},
      {"PushInAClient",
       client_with("push \"redirect-gateway def1\"\npush \"dhcp-option DNS 192.0.2.53\"\n"),
       of("push (lines 8, 9)", kServers)},
      {"OtherSettingsOfServers", client_with("max-clients 10\ntcp-queue-limit 64\n"),
       of("max-clients, tcp-queue-limit (lines 8, 9)", kServers)},
      {"ManagementInterface",
       client_with("management 127.0.0.1 7505\nmanagement-log-cache 100\nmanagement-hold\n"),
       of("management, management-log-cache, management-hold (lines 8, 9, 10)", kManagement)},
      {"LogFiles",
       client_with("log-append /var/log/openvpn.log\nstatus /run/x.status 10\nwritepid /x\n"),
       "log-append (line 8): the client's messages go to vpnrun's own log; status (line 9): "
       "'vpnrunctl status' has the state of the tunnel; writepid (line 10): vpnrun starts and "
       "watches the client itself"},
      {"FolderAndChroot", client_with("cd /etc/openvpn\nchroot /var/empty\n"),
       "cd (line 8): files are looked for beside this one; chroot (line 9): vpnrun confines the "
       "client itself"},
      {"OneOfTwoServersNeedsAProxy",
       "client\ndev tun\n<connection>\nremote a.example.test 443 tcp\nhttp-proxy 192.0.2.1 8080\n"
       "</connection>\n<connection>\nremote b.example.test 1194 udp\n</connection>\n" +
           client_keys(),
       "connection (line 3): its server needs a proxy, which is not supported; the others are "
       "used"},
      {"VariableInLatin1", client_with("setenv OWNER caf\xE9\n"), ""},
      {"VariableInLatin1ForTheServer", client_with("setenv UV_OWNER caf\xE9\n"), ""},
      {"KeyInABlock",
       "client\ndev tun\n<connection>\nremote a.example.test\n" + static_key_of("tls-crypt") +
           "</connection>\n" + client_keys(),
       ""},
      {"KeysOfTwoKinds",
       "client\ndev tun\n<connection>\nremote a.example.test 1194 udp\n" +
           static_key_of("tls-crypt") + "</connection>\n<connection>\n" +
           "remote a.example.test 443 tcp\ntls-auth ta.key 1\n</connection>\n" + client_keys(),
       "connection (line 11): its key of the control channel (tls-auth, tls-crypt) is not that of "
       "the first server; servers that agree are used"},
      {"TlsCryptV2WithAWordForServers", client_with("tls-crypt-v2 v2.key force-cookie\n"), ""},
      {"TlsCryptWithANumber", client_with("tls-crypt ta.key 1\n"), ""},
      {"VerbWithASemicolon", client_with("verb 4;\n"), ""},
      {"FormFeed", client_with("\f\n"), ""},
      {"SeventeenWords",
       client_with("ignore-unknown-option a b c d e f g h i j k l m n o p q\na 1\n"), ""},
      {"OldCarriageReturns", client_with("reneg-sec\r0\n"), ""},
      {"Windows", "\xEF\xBB\xBF" + client_with("register-dns\r\nblock-outside-dns\r\n"), ""},
      {"RandomHostname",
       "client\ndev tun\nproto udp\nremote cvpn.example.test 443\nremote-random-hostname\n"
       "resolv-retry infinite\n" +
           client_keys(),
       ""},
      {"NameOfAService", client_start("vpn.example.test https") + client_keys(), ""},
      {"LoginInsteadOfACertificate",
       client_start() + "auth-user-pass\n" + inline_part("ca", "CERTIFICATE"), ""},
      {"Fingerprint",
       client_start() + "peer-fingerprint AB:CD\n" + inline_part("cert", "CERTIFICATE") +
           inline_part("key", "PRIVATE KEY"),
       ""},
      {"OfALaterVersion", client_with("setenv FORWARD_COMPATIBLE 1\ndirective-of-2030 yes\n"), ""},
      {"BlockThatIsAnnounced", client_with("ignore-unknown-option news\n<news>\nx\n</news>\n"), ""},
      {"MtuInABlock",
       "client\ndev tun\n<connection>\nremote a.example.test\nmssfix 1300\nconnect-timeout 5\n"
       "</connection>\n" +
           client_keys(),
       ""},
  };
}

INSTANTIATE_TEST_SUITE_P(All, TakenFile, ::testing::ValuesIn(taken_files()), file_name_of);

// --- refused -------------------------------------------------------------------------------------

class RefusedFile : public ::testing::TestWithParam<FileOutcome> {};

TEST_P(RefusedFile, IsRefusedInWordsThatHelp) {
  try {
    (void)judge(GetParam().text);
    FAIL() << "it is taken";
  } catch (const Error& error) {
    const std::string said = error.what() + " // "s + error.hint();
    EXPECT_THAT(said, ::testing::StartsWith("/p/work.ovpn:"));
    EXPECT_THAT(said, HasSubstr(GetParam().outcome));
    EXPECT_THAT(said, Not(HasSubstr("TUlJ")));
  }
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<FileOutcome> refused_files() {
  const std::string whole = client_with("");
  return {
      {"FolderOfRevocationLists", client_with("crl-verify crls dir\n"),
       "/p/work.ovpn:8: 'crl-verify' with a folder of lists is not supported: put the lists into "
       "one "
       "file"},
      {"DirectionWithTextBehindIt", client_with("tls-auth ta.key 1;\n"),
       "the direction of 'tls-auth' is 0 or 1"},
      {"TlsCryptV2WithANumber", client_with("tls-crypt-v2 v2.key 1\n"), "'tls-crypt-v2' takes one"},
      {"ConnectionWithoutAServer", client_with("<connection>\nport 5\n</connection>\n"),
       "/p/work.ovpn:8: a <connection> block needs one 'remote'"},
      {"StrayEndOfABlock", whole + "</tls-crypt>\n", ": </tls-crypt> without <tls-crypt>"},
      {"Capitals", "CLIENT\n" + whole.substr(7),
       "/p/work.ovpn:1: unknown directive 'CLIENT'; did you mean 'client'?"},
      {"CapitalBlock", client_start() + "<CA>\n" + part("CERTIFICATE") + "</CA>\n",
       "/p/work.ovpn:8: unknown block <CA>; did you mean <ca>?"},
      {"MisspeltBlock", client_start() + "<cer>\n" + part("CERTIFICATE") + "</cer>\n",
       "/p/work.ovpn:8: unknown block <cer>; did you mean <cert>?"},
      {"BlockThatIsNotClosed",
       client_start() + "<ca>\n" + part("CERTIFICATE") + inline_part("cert", "CERTIFICATE"),
       "/p/work.ovpn:8: the block is not closed: expected '</ca>'"},
      {"KeyWithoutTags", client_start() + part("PRIVATE KEY"),
       "/p/work.ovpn:8: a certificate or key without a block around it: expected <ca>"},
      {"ConnectionInAConnection",
       "client\n<connection>\n<connection>\nremote a\n</connection>\n" + client_keys(),
       "/p/work.ovpn:3: <connection> inside of <connection>"},
      {"WebPage", "<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>\n",
       "/p/work.ovpn:1: this is a web page, not an OpenVPN configuration // the provider asks for "
       "a "
       "login"},
      {"WebPageInXml", "\n <?xml version=\"1.0\"?>\n<html xmlns=\"x\">\n", "this is a web page"},
      {"PropertyList", "<?xml version=\"1.0\"?>\n<plist>\n", "this is an XML file"},
      {"WireGuard", "# home\n\n[Interface]\nPrivateKey = AAAA\n[Peer]\n",
       "this is a WireGuard configuration, not an OpenVPN configuration // write type = "
       "\"wireguard\""},
      {"WireGuardInAnotherCase", "[ interface ]\n[peer]\r\nendpoint = x\n", "a WireGuard"},
      {"AmneziaWg", "[Interface]\nPrivateKey = AAAA\nJc = 4\n[Peer]\n", "an AmneziaWG"},
      {"NetworkManager", "[connection]\nid=x\n[vpn]\nservice-type=x\n",
       "a connection of NetworkManager"},
      {"SingBox", "{\n  \"outbounds\": []\n}\n", "a JSON file, perhaps of sing-box"},
      {"Json", "[{\"x\": 1}]", "a JSON file"},
      {"Zip", "PK\x03\x04\0\0"s, "a ZIP archive, not an OpenVPN configuration // unpack it"},
      {"Gzip", "\x1F\x8B\b\0"s, "a gzip archive"},
      {"Pem", part("CERTIFICATE"), "a certificate or key, not an OpenVPN configuration"},
      {"Link", "vless://x@vpn.example.test:443\n", "a link"},
      {"Empty", "", "the file is empty"},
      {"Blanks", "\xEF\xBB\xBF \r\n\t\n", "the file is empty"},
      {"Utf16", two_bytes_each(whole, "\xFF\xFE", true),
       "the file is UTF-16, which OpenVPN cannot read; save it "
       "as UTF-8 // iconv -f UTF-16 -t UTF-8"},
      {"Utf16OfTheOtherOrder", two_bytes_each(whole, "\xFE\xFF", false), "the file is UTF-16"},
      {"Utf16WithoutAMark", two_bytes_each(whole, "", true), "the file is UTF-16"},
      {"Utf16OfTheOtherOrderWithoutAMark", two_bytes_each(whole, "", false), "the file is UTF-16"},
      {"Nul", client_with("# \0\n"s),
       "/p/work.ovpn:8: a control character: this is not a text file"},
      {"PortBehindAColon", client_start("vpn.example.test:1194") + client_keys(),
       "/p/work.ovpn:4: 'vpn.example.test:1194' is not a host: write 'remote vpn.example.test "
       "1194'"},
      {"RemoteAsALink", client_start("tcp://vpn.example.test:443") + client_keys(),
       "write 'remote vpn.example.test 443 tcp'"},
      {"RemoteAsAWebAddress", client_start("https://vpn.example.test/") + client_keys(),
       "write 'remote vpn.example.test'"},
      {"AddressInBrackets", client_start("[2001:db8::1] 443") + client_keys(),
       "write 'remote 2001:db8::1'"},
      {"AddressInBracketsWithAPort", client_start("[2001:db8::1]:443") + client_keys(),
       "write 'remote 2001:db8::1 443'"},
      {"InternationalName", client_start("vpn.ex\xC3\xA4mple.test 1194") + client_keys(),
       "is not a host: write an international name in its xn-- form"},
      {"Placeholder", client_start("<SERVER> 1194") + client_keys(),
       "'<SERVER>' is not a host: expected a name"},
      {"NoAuthority",
       client_start() + inline_part("cert", "CERTIFICATE") + inline_part("key", "PRIVATE KEY"),
       "nothing to check the server by: expected <ca>"},
      {"CertificateWithoutKey",
       client_start() + inline_part("ca", "CERTIFICATE") + inline_part("cert", "CERTIFICATE"),
       "'cert' without 'key'"},
      {"KeyWithoutCertificate",
       client_start() + inline_part("ca", "CERTIFICATE") + inline_part("key", "PRIVATE KEY"),
       "'key' without 'cert'"},
      {"NothingToLogInWith", client_start() + inline_part("ca", "CERTIFICATE"),
       "nothing to log in with"},
      {"TlsAuthAndTlsCrypt", client_with(static_key_of("tls-auth") + static_key_of("tls-crypt")),
       "/p/work.ovpn:13: 'tls-crypt' and 'tls-auth' in line 8 exclude each other"},
      {"TlsCryptOfBothKinds",
       client_with(static_key_of("tls-crypt") +
                   inline_part("tls-crypt-v2", "OpenVPN tls-crypt-v2 client key")),
       "'tls-crypt-v2' and 'tls-crypt' in line 8 exclude each other"},
      {"SecretInAClient", client_with(static_key_of("secret")),
       "'secret' and 'client' in line 1 exclude"},
      {"Pkcs12AndKey", client_with("<pkcs12>\nAP8Q\n</pkcs12>\n"), "'pkcs12' in line 8 exclude"},
      {"NotAClient", whole.substr(7), "the line 'client' is missing"},
      {"NothingAtAll", "remote vpn.example.test\ndev tun\n", "nothing encrypts this tunnel"},
      {"OnlyProxies", client_with("http-proxy 192.0.2.1 8080\n"),
       "directive 'http-proxy' is refused: proxies are not supported"},
      {"LoginInside", client_with("<auth-user-pass>\nalice\nhunter2\n</auth-user-pass>\n"),
       "credentials inside the file are refused // move the two lines"},
      {"Tap", "client\ndev tap\nremote a\n" + client_keys(), "only layer 3 tunnels"},
  };
}

INSTANTIATE_TEST_SUITE_P(All, RefusedFile, ::testing::ValuesIn(refused_files()), file_name_of);

// --- more of them ---

TEST(OpenvpnFile, IsJudgedAsAWhole) {
  try {
    (void)judge(client_with(
        "up /usr/local/bin/a.sh\nplugin /usr/lib/x.so \"x\"\nhttp-proxy 192.0.2.1 8080\n"
        "engine dynamic\nFROBNICATE\nverb \"3\nca gone.crt\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "/p/work.ovpn:9: directive 'plugin' is refused: it loads code from a file; remove the "
        "line\n"
        "/p/work.ovpn:10: directive 'http-proxy' is refused: proxies are not supported: nothing "
        "but "
        "the VPN server can be reached\n"
        "/p/work.ovpn:11: directive 'engine' is refused: it loads code from a file; remove the "
        "line\n"
        "/p/work.ovpn:12: unknown directive (not shown: it does not look like one)\n"
        "/p/work.ovpn:13: the quotation mark \" is not closed\n"
        "/p/work.ovpn:14: 'ca' file 'gone.crt': cannot read '/p/gone.crt': No such file or "
        "directory");
  }
}

std::string refusal_of(const std::string& text, const FurtherCheck& further = {}) {
  try {
    (void)parse_openvpn_client(
        text, kFilePath,
        [](std::string_view, const std::string& name) -> std::string {
          throw Error("cannot read '/p/" + name + "': No such file or directory");
        },
        further);
    return "taken";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(OpenvpnFile, TellsWhatIsMissingTogetherWithWhatIsWrong) {
  EXPECT_EQ(refusal_of(client_start() + "plugin /x.so\n" + inline_part("cert", "CERTIFICATE")),
            "/p/work.ovpn: nothing to check the server by: expected <ca> … </ca> or 'ca FILE', or "
            "'peer-fingerprint'\n"
            "/p/work.ovpn:8: directive 'plugin' is refused: it loads code from a file; remove the "
            "line\n"
            "/p/work.ovpn:9: 'cert' without 'key': expected the private key of the certificate as "
            "well");
  EXPECT_THAT(refusal_of("client\nplugin /x.so\n" + client_keys()),
              AllOf(StartsWith("/p/work.ovpn:2: directive 'plugin' is refused"),
                    HasSubstr(": the file names no server: expected 'remote HOST")));
  EXPECT_THAT(refusal_of(client_with(static_key_of("tls-auth") + static_key_of("tls-crypt") +
                                     "engine x\n")),
              AllOf(HasSubstr(":13: 'tls-crypt' and 'tls-auth' in line 8 exclude"),
                    HasSubstr(":18: directive 'engine'")));
}

TEST(OpenvpnFile, DoesNotMissWhatALineThatIsRefusedHas) {
  const std::string keys = inline_part("cert", "CERTIFICATE") + inline_part("key", "PRIVATE KEY");
  for (const std::string& text :
       {"clinet\nremote a\n" + client_keys(),        // a letter out of its place
        "CLIENT\nremote a\n" + client_keys(),        //
        client_start() + "ca gone.crt\n" + keys,     // a file that is not there
        client_start() + "<ac>\nx\n</ac>\n" + keys,  //
        client_start() + "<ca>\nx\n</ca>\n" + keys,  //
        client_start() + "<ca>\n" + keys,            // an end that is missing
        client_start() + "</ca>\n" + keys,           //
        client_start() + part("CERTIFICATE") + keys,
        client_start() + "capath /etc/ssl/certs\n" + keys, client_start() + "config more.ovpn\n",
        client_start() + "ca ca.crt \"\n" + keys,
        client_start() + inline_part("ca", "CERTIFICATE") + "pkcs11-id x\n",
        client_start() + inline_part("ca", "CERTIFICATE") + inline_part("cert", "CERTIFICATE") +
            "management-external-key\n",
        client_start() + inline_part("ca", "CERTIFICATE") +
            "<auth-user-pass>\nalice\nx\n</auth-user-pass>\n",
        "client\nremote\n" + client_keys(), "client\nremoet a\n" + client_keys(),
        "client\nport x\n" + client_keys(),
        "client\n<connection>\nremote a\nverb 3\n</connection>\n" + client_keys(),
        "client\n<connection>\nport 5\n</connection>\n" + client_keys()}) {
    EXPECT_THAT(refusal_of(text), AllOf(Not(HasSubstr("\n")), Not("taken"))) << text;
  }
}

TEST(OpenvpnFile, IsCheckedFurtherWhateverIsWrongWithItsLines) {
  std::size_t servers = 0;
  const auto further = [&servers](OpenvpnConfig& config, Findings& findings) {
    servers = config.remotes.size();
    findings.add(4, Error("a server that nobody reaches"));
  };
  EXPECT_THAT(refusal_of(client_with("plugin /x.so\n"), further),
              AllOf(HasSubstr("/p/work.ovpn:4: a server that nobody reaches\n"),
                    HasSubstr("/p/work.ovpn:8: directive 'plugin'")));
  EXPECT_EQ(servers, 1U);
  (void)refusal_of(client_with("remote x:y\n"), further);
  EXPECT_EQ(servers, 0U) << "the one that is refused may be the one that can be reached";
}

TEST(OpenvpnFile, OfOneFindingHasItsHint) {
  try {
    (void)judge(client_with("<auth-user-pass>\nalice\nx\n</auth-user-pass>\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("'credentials' in [tunnel]"));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

TEST(OpenvpnFile, OfManyFindingsTellsTheFirstAndHowManyThereAre) {
  std::string many;
  for (int i = 0; i < 50; ++i) {
    many += "plugin /x.so\n";
  }
  try {
    (void)judge(client_with(many));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\n/p/work.ovpn: and 30 more"));
  }
}

TEST(OpenvpnFile, IsNotLookedAtForEver) {
  std::string blocks;
  for (int i = 0; i < 100'000; ++i) {
    blocks += "<ca>\n";
  }
  EXPECT_THROW((void)judge(blocks), Error);
  EXPECT_THROW((void)judge(std::string(1'000'000, '<') + "\n"), Error);
  std::string lines = client_start();
  for (int i = 0; i < 50'000; ++i) {
    lines += "setenv V" + std::to_string(i) + " 1\nfoo" + std::to_string(i) + "\n";
  }
  EXPECT_THROW((void)judge(lines), Error);
}

TEST(OpenvpnFile, WithAKeyWhoseTagIsBrokenIsOneFinding) {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    lines += "e685bdaf659a25a200e2b9e39e51ff0" + std::to_string(i % 10) + "\n";
  }
  try {
    (void)judge(client_with(lines));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(":8: unknown directives up to line 23"),
                                    Not(HasSubstr("e685bd")), Not(HasSubstr("\n"))));
  }
}

TEST(OpenvpnFile, SaysWhereItsServersAre) {
  const OpenvpnConfig config = judge(
      "client\ndev tun\nremote a.example.test\nremote 192.0.2.7 443 tcp\nremote-random-hostname\n" +
      client_keys());
  ASSERT_THAT(config.remotes, SizeIs(2));
  EXPECT_EQ(config.remotes[0].line, 3U);
  EXPECT_TRUE(config.remotes[0].random_label);
  EXPECT_EQ(config.remotes[1].line, 4U);
  EXPECT_FALSE(config.remotes[1].random_label);
}

// --- what is left out, as text ---

TEST(LeftOutText, GroupsByReasonAndNamesTheLines) {
  const std::vector<LeftOut> entries = {{"up", {9}, "names", Severity::kNotice, ""},
                                        {"cd", {4}, "beside", Severity::kNotice, ""},
                                        {"down", {10}, "names", Severity::kNotice, ""},
                                        {"credentials", {}, "nobody asks", Severity::kNotice, ""}};
  EXPECT_EQ(describe(entries),
            "up, down (lines 9, 10): names; cd (line 4): beside; credentials: nobody asks");
  EXPECT_EQ(describe(entries, "'").substr(0, 12), "'up', 'down'");
  EXPECT_EQ(describe({}), "");
  EXPECT_EQ(describe(std::vector<LeftOut>{{"a\x1b", {1}, "b\x07", Severity::kInfo, ""}}),
            "a? (line 1): b?");
}

TEST(LeftOutText, IsMergedAndTheLeastGoFirst) {
  const std::vector<LeftOut> entries = {{"push", {9}, "x", Severity::kNotice, ""},
                                        {"persist-tun", {4}, "y", Severity::kInfo, ""},
                                        {"push", {11}, "x", Severity::kNotice, ""},
                                        {"up", {12}, "z", Severity::kWarning, ""}};
  EXPECT_THAT(merged(entries, 10), SizeIs(3));
  EXPECT_EQ(merged(entries, 10).front().lines, (std::vector<std::uint32_t>{9, 11}));
  EXPECT_THAT(merged(entries, 1), ElementsAre(entries[3]));
  const std::vector<LeftOut> endless(100'000, entries[0]);
  EXPECT_THAT(merged(endless, 10).front().lines, SizeIs(kMostLinesLeftOut));
  EXPECT_EQ(severity_from_string("later"), Severity::kNotice);
  EXPECT_EQ(severity_from_string(to_string(Severity::kWarning)), Severity::kWarning);
}

}  // namespace
}  // namespace vpnrun::profile
