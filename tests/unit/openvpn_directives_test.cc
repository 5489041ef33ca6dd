// SPDX-License-Identifier: GPL-2.0-or-later
// The allow-list as a whole, and what the installed OpenVPN says to what passes it.
#include "profiles/openvpn_directives.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"

namespace vpnrun::profile {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string no_file(std::string_view /*directive*/, const std::string& name) {
  throw Error("unexpected reading of " + name);
}

std::string message_of(const std::string& text) {
  try {
    (void)parse_openvpn_config(text, "/p/x.ovpn", no_file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(OpenvpnDirectives, AreThereOnce) {
  std::set<std::string_view> seen;
  for (const Directive& directive : all_directives()) {
    EXPECT_TRUE(seen.insert(directive.name).second) << directive.name;
    EXPECT_EQ(find_directive(directive.name), &directive);
  }
  EXPECT_EQ(find_directive("Up"), nullptr);
  EXPECT_EQ(find_directive(""), nullptr);
}

TEST(OpenvpnDirectives, HaveAReasonIfTheyDoNotPass) {
  for (const Directive& directive : all_directives()) {
    const bool needs_reason =
        directive.treatment == Treatment::kRefuse || directive.treatment == Treatment::kIgnore;
    EXPECT_EQ(!directive.reason.empty(), needs_reason) << directive.name;
  }
}

TEST(OpenvpnDirectives, AreRefusedWithLineAndReasonWhatever) {
  for (const Directive& directive : all_directives()) {
    if (directive.treatment != Treatment::kRefuse) {
      continue;
    }
    const std::string name(directive.name);
    for (const std::string& line : {name + " a b", "--" + name + " a", "\"" + name + "\" a",
                                    "  " + name, "setenv opt " + name + " a"}) {
      EXPECT_THAT(message_of("client\n" + line + "\n"),
                  AllOf(StartsWith("/p/x.ovpn:2: "), HasSubstr("'" + name + "' is refused: "),
                        HasSubstr(std::string(directive.reason))))
          << line;
    }
  }
}

TEST(OpenvpnDirectives, AreIgnoredWithLineAndReason) {
  for (const Directive& directive : all_directives()) {
    if (directive.treatment == Treatment::kIgnore) {
      const OpenvpnConfig config = parse_openvpn_config(
          "remote a\n" + std::string(directive.name) + " x y\n", "/p/x.ovpn", no_file);
      EXPECT_EQ(config.text, "");
      EXPECT_THAT(config.ignored, ::testing::ElementsAre("line 2: '" + std::string(directive.name) +
                                                         "': " + std::string(directive.reason)));
    }
  }
}

/// Not read from the table: what must never be anything but refused.
class DangerousDirective : public ::testing::TestWithParam<const char*> {};

TEST_P(DangerousDirective, IsRefused) {
  EXPECT_THAT(message_of("remote a\n" + std::string(GetParam()) + " x\n"),
              AllOf(StartsWith("/p/x.ovpn:2: "), HasSubstr("is refused: ")));
}

INSTANTIATE_TEST_SUITE_P(ThatRunsAProgram, DangerousDirective,
                         ::testing::Values("up", "down", "route-up", "route-pre-down", "ipchange",
                                           "tls-verify", "auth-user-pass-verify", "client-connect",
                                           "client-disconnect", "client-crresponse",
                                           "learn-address", "tls-crypt-v2-verify", "iproute",
                                           "script-security", "dns-updown"));
INSTANTIATE_TEST_SUITE_P(ThatLoadsCode, DangerousDirective,
                         ::testing::Values("plugin", "engine", "pkcs11-providers", "providers"));
INSTANTIATE_TEST_SUITE_P(ThatWritesOrOpensFiles, DangerousDirective,
                         ::testing::Values("log", "log-append", "status", "writepid", "memstats",
                                           "replay-persist", "tls-export-cert", "tmp-dir", "config",
                                           "capath", "ifconfig-pool-persist"));
INSTANTIATE_TEST_SUITE_P(ThatChangesTheProcess, DangerousDirective,
                         ::testing::Values("cd", "chroot", "setcon", "gremlin"));
INSTANTIATE_TEST_SUITE_P(ThatGivesControlAway, DangerousDirective,
                         ::testing::Values("management", "management-client",
                                           "management-client-user", "management-external-key",
                                           "management-hold", "management-query-remote",
                                           "management-up-down"));
INSTANTIATE_TEST_SUITE_P(ThatGoesAroundTheFilter, DangerousDirective,
                         ::testing::Values("http-proxy", "socks-proxy", "ip-remote-hint"));
INSTANTIATE_TEST_SUITE_P(OfServers, DangerousDirective,
                         ::testing::Values("server", "tls-server", "push", "client-config-dir",
                                           "port-share", "dh", "mode", "vlan-tagging"));

// --- the real one --------------------------------------------------------------------------------

/// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((fs::temp_directory_path() / "vpnrun-openvpn-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw_errno("cannot create '{}'", path_);
    }
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const char* find_openvpn() {
  for (const char* path : {"/usr/sbin/openvpn", "/usr/local/sbin/openvpn"}) {
    if (::access(path, X_OK) == 0) {
      return path;
    }
  }
  return nullptr;
}

/// What OpenVPN prints until `end` appears in it, or it exits, or ten seconds are over.
std::string read_until(int fd, std::string_view end) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  std::string output;
  std::array<char, 4096> buffer{};
  while (Clock::now() < deadline && output.find(end) == std::string::npos) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) {
      continue;
    }
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) {
      break;
    }
    output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return output;
}

constexpr const char* kHolding = "MANAGEMENT: unix domain socket listening";

/// Starts the real OpenVPN on `text`, held before it does anything, and stops it again.
std::string openvpn_output(const char* openvpn, const std::string& text) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/config";
  const std::string socket = folder.path() + "/m";
  std::ofstream(file) << "dev null\nremote 127.0.0.1 1\nmanagement " << socket
                      << " unix\nmanagement-hold\nmanagement-query-passwords\n"
                      << text << "verb 4\n";
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot create a pipe");
  }
  const UniqueFd output(pipe[0]);
  UniqueFd input(pipe[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::dup2(input.get(), STDOUT_FILENO);
    (void)::dup2(input.get(), STDERR_FILENO);
    ::execl(openvpn, openvpn, "--config", file.c_str(), nullptr);
    ::_exit(127);
  }
  input.reset();
  std::string result = read_until(output.get(), kHolding);
  (void)::kill(child, SIGTERM);
  (void)::waitpid(child, nullptr, 0);
  return result;
}

std::string read_test_file(std::string_view /*directive*/, const std::string& name) {
  const std::string path = VPNRUN_TEST_DATA "/openvpn/" + name;
  std::ifstream file(path);
  if (!file) {
    throw Error("cannot read '" + path + "'");
  }
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

OpenvpnConfig parse_with_test_files(const std::string& text) {
  return parse_openvpn_config(text, VPNRUN_TEST_DATA "/openvpn/x.ovpn", read_test_file);
}

class RealOpenvpn : public ::testing::Test {
 protected:
  void SetUp() override {
    openvpn_ = find_openvpn();
    if (openvpn_ == nullptr) {
      GTEST_SKIP() << "openvpn is not installed; run: apt install openvpn";
    }
  }
  const char* openvpn_ = nullptr;
};

TEST_F(RealOpenvpn, RefusesADirectiveThatDoesNotExist) {
  EXPECT_THAT(openvpn_output(openvpn_, "client\nfrobnicate\n"),
              AllOf(HasSubstr("Unrecognized option"), ::testing::Not(HasSubstr(kHolding))));
}

TEST_F(RealOpenvpn, AcceptsWhatPassesForAClientWithCertificates) {
  const OpenvpnConfig config = parse_with_test_files(R"(
client
dev tun
remote vpn.example.org 1194 udp
ca ca.crt
cert client.crt
key client.key
extra-certs ca.crt
crl-verify crl.pem
tls-auth ta.key 1
nobind
explicit-exit-notify 2
connect-timeout 20
sndbuf 0
rcvbuf 0
mtu-disc maybe
passtos
fast-io
tcp-nodelay
socket-flags TCP_NODELAY
pull-filter ignore "route "
pull-filter accept 'dhcp-option DNS'
push-peer-info
single-session
tls-exit
compat-mode 2.4.0
ping 10
ping-restart 60
ping-timer-rem
inactive 3600
session-timeout 7200
setenv UV_ID "with \"marks\" and \\"
setenv opt block-outside-dns
setenv opt allow-recursive-routing
setenv CLIENT_CERT 0
topology subnet
tun-mtu 1420
mssfix 1300
max-packet-size 1400
shaper 100000
client-nat snat 10.0.0.0 255.0.0.0 10.1.0.0
dhcp-option DNS 10.8.0.1
dhcp-option DOMAIN example.org
dns server 1 address 10.8.0.1
dns search-domains example.org
block-ipv6
disable-dco
tls-cipher DEFAULT
tls-ciphersuites TLS_AES_256_GCM_SHA384
tls-groups X25519:P-256
tls-cert-profile legacy
tls-version-min 1.2
tls-version-max 1.3
tls-timeout 2
hand-window 60
tran-window 3600
reneg-sec 0
reneg-bytes 0
reneg-pkts 0
ecdh-curve prime256v1
remote-cert-tls server
verify-x509-name "C=SE, CN=vpn.example.org" subject
x509-username-field CN
x509-track CN
key-direction 1
auth SHA256
cipher AES-256-CBC
data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305
data-ciphers-fallback AES-256-CBC
replay-window 64 15
mute-replay-warnings
keying-material-exporter EXPORTER-x 32
comp-lzo no
allow-compression no
providers legacy default
auth-user-pass
auth-nocache
static-challenge "Your PIN" 1
verb 4
mute 20
)");
  EXPECT_THAT(openvpn_output(openvpn_, config.text), HasSubstr(kHolding)) << config.text;
  EXPECT_TRUE(config.needs_user_pass);
}

TEST_F(RealOpenvpn, AcceptsOtherKindsOfKeys) {
  for (const char* keys :
       {"pkcs12 client.p12\ntls-crypt ta.key\n",
        "ca ca.crt\ntls-crypt-v2 v2-client.key\nauth-user-pass\n",
        "peer-fingerprint 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:"
        "18:19:1a:1b:1c:1d:1e:1f\ncert client.crt\nkey client.key\n",
        "<peer-fingerprint>\n# "
        "ours\n00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:"
        "15:16:17:18:19:1a:1b:1c:1d:1e:1f\n</peer-fingerprint>\ncert client.crt\nkey "
        "client.key\n"}) {
    const OpenvpnConfig config = parse_with_test_files("client\nremote a\n" + std::string(keys));
    const std::string need = config.needs_user_pass ? "auth-user-pass\n" : "";
    EXPECT_THAT(openvpn_output(openvpn_, config.text + need), HasSubstr(kHolding)) << config.text;
  }
}

TEST_F(RealOpenvpn, AcceptsAStaticKeyWithAddresses) {
  const OpenvpnConfig config = parse_with_test_files(
      "remote a\nsecret ta.key 1\nifconfig 10.8.0.2 10.8.0.1\nifconfig-ipv6 fd00::2/64 fd00::1\n"
      "cipher AES-256-CBC\nkeepalive 10 60\nallow-deprecated-insecure-static-crypto\n");
  EXPECT_THAT(openvpn_output(openvpn_, config.text), HasSubstr(kHolding)) << config.text;
}

TEST_F(RealOpenvpn, SeesTheWordsThatWeSaw) {
  // When a line is quoted again, OpenVPN repeats what it has understood.
  const OpenvpnConfig config = parse_with_test_files(
      "client\nremote a\nca ca.crt\nauth-user-pass\nverb 4\n"
      "verify-x509-name 'a \"b\" \\ c;d #e' name\n");
  EXPECT_THAT(openvpn_output(openvpn_, config.text + "auth-user-pass\n"),
              HasSubstr("verify_x509_name = 'a \"b\" \\ c;d #e'"))
      << config.text;
}

}  // namespace
}  // namespace vpnrun::profile
