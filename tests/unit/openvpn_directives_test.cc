// SPDX-License-Identifier: GPL-2.0-or-later
// The allow-list as a whole, and what the installed OpenVPN says to what passes it.
#include "profiles/openvpn_directives.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/base/format.h"
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

bool is_one_of(std::initializer_list<Treatment> list, Treatment treatment) {
  return std::find(list.begin(), list.end(), treatment) != list.end();
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
        is_one_of({Treatment::kRefuse, Treatment::kIgnore, Treatment::kLeaveOut, Treatment::kScript,
                   Treatment::kProxy, Treatment::kDnsUpdown},
                  directive.treatment);
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

TEST(OpenvpnDirectives, AreLeftOutWithLineAndReason) {
  for (const Directive& directive : all_directives()) {
    if (!is_one_of({Treatment::kIgnore, Treatment::kLeaveOut, Treatment::kScript},
                   directive.treatment)) {
      continue;
    }
    const std::string name(directive.name);
    const OpenvpnConfig config =
        parse_openvpn_config("remote a\n" + name + " /bin/true x\n", "/p/x.ovpn", no_file);
    EXPECT_EQ(config.text, "");
    ASSERT_EQ(config.left_out.size(), 1U) << name;
    const LeftOut& entry = config.left_out.front();
    EXPECT_EQ(entry.directive, name);
    EXPECT_EQ(entry.lines, std::vector<std::uint32_t>{2});
    EXPECT_EQ(entry.reason, directive.reason);
    EXPECT_EQ(entry.severity,
              directive.treatment == Treatment::kIgnore ? Severity::kInfo : Severity::kNotice);
  }
}

/// Not read from the table: what OpenVPN must never get to hear, whatever becomes of the file.
class DangerousDirective : public ::testing::TestWithParam<const char*> {};

TEST_P(DangerousDirective, NeverReachesOpenvpn) {
  const std::string name(GetParam());
  for (const std::string& line :
       {name, name + " x", name + " /bin/evil y", "--" + name + " x", "'" + name + "' x",
        "setenv opt " + name + " x", "setenv FORWARD_COMPATIBLE 1\n" + name + " x",
        formatted("ignore-unknown-option {0}\n{0} x", name), formatted("<{0}>\nx\n</{0}>", name),
        "<connection>\nremote b\n" + name + " x\n</connection>"}) {
    try {
      const OpenvpnConfig config =
          parse_openvpn_config("remote a\n" + line + "\n", "/p/x.ovpn", no_file);
      EXPECT_THAT(config.text, ::testing::AnyOf("", "setenv FORWARD_COMPATIBLE 1\n")) << line;
      EXPECT_FALSE(config.left_out.empty()) << line;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), StartsWith("/p/x.ovpn:")) << line;
    }
  }
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
                                           "capath", "ifconfig-pool-persist", "dh", "askpass",
                                           "auth-gen-token-secret", "http-proxy-user-pass"));
INSTANTIATE_TEST_SUITE_P(ThatChangesTheProcess, DangerousDirective,
                         ::testing::Values("cd", "chroot", "setcon", "gremlin", "user", "group",
                                           "daemon", "nice", "mlock", "syslog"));
INSTANTIATE_TEST_SUITE_P(ThatGivesControlAway, DangerousDirective,
                         ::testing::Values("management", "management-client",
                                           "management-client-user", "management-external-key",
                                           "management-hold", "management-query-remote",
                                           "management-up-down"));
INSTANTIATE_TEST_SUITE_P(ThatGoesAroundTheFilter, DangerousDirective,
                         ::testing::Values("http-proxy", "socks-proxy", "ip-remote-hint", "local",
                                           "bind-dev", "mark", "route", "redirect-gateway"));
INSTANTIATE_TEST_SUITE_P(OfServers, DangerousDirective,
                         ::testing::Values("server", "tls-server", "push", "client-config-dir",
                                           "port-share", "mode", "vlan-tagging"));

/// What would change the meaning of the file if it were left out.
class NeededDirective : public ::testing::TestWithParam<const char*> {};

TEST_P(NeededDirective, IsRefused) {
  EXPECT_THAT(message_of("remote a\n" + std::string(GetParam()) + "\n"),
              AllOf(StartsWith("/p/x.ovpn:2: "), HasSubstr("is refused: ")));
}

INSTANTIATE_TEST_SUITE_P(All, NeededDirective,
                         ::testing::Values("plugin /x.so", "engine dynamic", "tls-verify /x",
                                           "dev tap", "dev-type tap", "mode server",
                                           "http-proxy 192.0.2.1 8080", "socks-proxy 192.0.2.1",
                                           "ip-remote-hint 192.0.2.1", "capath /x",
                                           "config other.ovpn", "pkcs11-providers /x.so",
                                           "pkcs11-id x", "cryptoapicert x",
                                           "management-external-key x", "tls-remote x",
                                           "providers /x.so", "setenv GENERIC_CONFIG"));

// --- each directive, by heart
// ---------------------------------------------------------------------

/// Not read from the table: whoever gives a directive another treatment has to say so here as well.
using Names = std::set<std::string, std::less<>>;

// NOLINTNEXTLINE(readability-function-size): a list
const Names& handed_on() {
  static const Names names = {"allow-compression",
                              "allow-deprecated-insecure-static-crypto",
                              "allow-recursive-routing",
                              "auth",
                              "auth-nocache",
                              "auth-token",
                              "auth-token-user",
                              "block-ipv6",
                              "ca",
                              "cert",
                              "cipher",
                              "client",
                              "client-nat",
                              "comp-lzo",
                              "comp-noadapt",
                              "compat-mode",
                              "compress",
                              "connect-timeout",
                              "crl-verify",
                              "data-ciphers",
                              "data-ciphers-fallback",
                              "dhcp-option",
                              "disable-dco",
                              "disable-occ",
                              "dns",
                              "ecdh-curve",
                              "explicit-exit-notify",
                              "extra-certs",
                              "fast-io",
                              "force-tls-key-material-export",
                              "fragment",
                              "hand-window",
                              "ifconfig",
                              "ifconfig-ipv6",
                              "inactive",
                              "keepalive",
                              "key",
                              "key-direction",
                              "keying-material-exporter",
                              "link-mtu",
                              "max-packet-size",
                              "mssfix",
                              "mtu-disc",
                              "mtu-test",
                              "mute",
                              "mute-replay-warnings",
                              "ncp-ciphers",
                              "no-replay",
                              "nobind",
                              "ns-cert-type",
                              "passtos",
                              "peer-fingerprint",
                              "ping",
                              "ping-exit",
                              "ping-restart",
                              "ping-timer-rem",
                              "pkcs12",
                              "providers",
                              "pull",
                              "pull-filter",
                              "push-peer-info",
                              "rcvbuf",
                              "remote-cert-eku",
                              "remote-cert-ku",
                              "remote-cert-tls",
                              "reneg-bytes",
                              "reneg-pkts",
                              "reneg-sec",
                              "replay-window",
                              "secret",
                              "server-poll-timeout",
                              "session-timeout",
                              "setenv",
                              "shaper",
                              "single-session",
                              "sndbuf",
                              "socket-flags",
                              "static-challenge",
                              "tcp-nodelay",
                              "tls-auth",
                              "tls-cert-profile",
                              "tls-cipher",
                              "tls-ciphersuites",
                              "tls-client",
                              "tls-crypt",
                              "tls-crypt-v2",
                              "tls-exit",
                              "tls-groups",
                              "tls-timeout",
                              "tls-version-max",
                              "tls-version-min",
                              "topology",
                              "tran-window",
                              "tun-mtu",
                              "tun-mtu-extra",
                              "tun-mtu-max",
                              "udp-mtu",
                              "verb",
                              "verify-hash",
                              "verify-x509-name",
                              "x509-track",
                              "x509-username-field"};
  return names;
}

/// By vpnrun itself: it writes lines of its own in their place, or none.
const Names& used() {
  static const Names names = {"auth-user-pass",
                              "dev",
                              "dev-type",
                              "dns-updown",
                              "ignore-unknown-option",
                              "mode",
                              "port",
                              "proto",
                              "proto-force",
                              "remote",
                              "remote-random",
                              "remote-random-hostname",
                              "rport"};
  return names;
}

// NOLINTNEXTLINE(readability-function-size): a list
const Names& left_out() {
  static const Names names = {"allow-nonadmin",
                              "allow-pull-fqdn",
                              "askpass",
                              "auth-gen-token-secret",
                              "auth-retry",
                              "bcast-buffers",
                              "bind",
                              "bind-dev",
                              "block-outside-dns",
                              "cd",
                              "chroot",
                              "connect-freq-initial",
                              "connect-retry",
                              "connect-retry-max",
                              "daemon",
                              "dev-node",
                              "dh",
                              "dhcp-pre-release",
                              "dhcp-release",
                              "dhcp-renew",
                              "down",
                              "down-pre",
                              "echo",
                              "errors-to-stderr",
                              "float",
                              "gremlin",
                              "group",
                              "http-proxy-retry",
                              "http-proxy-timeout",
                              "ifconfig-noexec",
                              "ifconfig-nowarn",
                              "ifconfig-push-constraint",
                              "ip-win32",
                              "ipchange",
                              "iproute",
                              "key-method",
                              "keysize",
                              "lladdr",
                              "local",
                              "log",
                              "log-append",
                              "lport",
                              "machine-readable-output",
                              "management",
                              "management-client",
                              "management-client-auth",
                              "management-client-group",
                              "management-client-pf",
                              "management-client-user",
                              "management-forget-disconnect",
                              "management-hold",
                              "management-log-cache",
                              "management-query-passwords",
                              "management-query-proxy",
                              "management-query-remote",
                              "management-signal",
                              "management-up-down",
                              "mark",
                              "max-clients",
                              "max-routes",
                              "max-routes-per-client",
                              "memstats",
                              "mlock",
                              "msg-channel",
                              "multihome",
                              "ncp-disable",
                              "nice",
                              "no-iv",
                              "parameter",
                              "pause-exit",
                              "persist-key",
                              "persist-local-ip",
                              "persist-remote-ip",
                              "persist-tun",
                              "preresolve",
                              "prng",
                              "push",
                              "redirect-gateway",
                              "redirect-private",
                              "register-dns",
                              "remap-usr1",
                              "replay-persist",
                              "resolv-retry",
                              "route",
                              "route-delay",
                              "route-gateway",
                              "route-ipv6",
                              "route-ipv6-gateway",
                              "route-method",
                              "route-metric",
                              "route-noexec",
                              "route-nopull",
                              "route-pre-down",
                              "route-table",
                              "route-up",
                              "script-security",
                              "service",
                              "setcon",
                              "setenv-safe",
                              "show-net-up",
                              "socks-proxy-retry",
                              "status",
                              "status-version",
                              "suppress-timestamps",
                              "syslog",
                              "tap-sleep",
                              "tcp-queue-limit",
                              "tls-export-cert",
                              "tmp-dir",
                              "tun-ipv6",
                              "txqueuelen",
                              "up",
                              "up-delay",
                              "up-restart",
                              "use-prediction-resistance",
                              "user",
                              "verify-client-cert",
                              "win-sys",
                              "windows-driver",
                              "writepid"};
  return names;
}

// NOLINTNEXTLINE(readability-function-size): a list
const Names& refused() {
  static const Names names = {"auth-gen-token",
                              "auth-user-pass-optional",
                              "auth-user-pass-verify",
                              "capath",
                              "ccd-exclusive",
                              "client-cert-not-required",
                              "client-config-dir",
                              "client-connect",
                              "client-crresponse",
                              "client-disconnect",
                              "client-to-client",
                              "compat-names",
                              "config",
                              "connect-freq",
                              "connection",
                              "cryptoapicert",
                              "dhcp-internal",
                              "disable",
                              "duplicate-cn",
                              "engine",
                              "genkey",
                              "hash-size",
                              "help",
                              "http-proxy",
                              "http-proxy-option",
                              "http-proxy-override",
                              "http-proxy-user-pass",
                              "ifconfig-ipv6-pool",
                              "ifconfig-ipv6-push",
                              "ifconfig-pool",
                              "ifconfig-pool-linear",
                              "ifconfig-pool-persist",
                              "ifconfig-push",
                              "ip-remote-hint",
                              "iroute",
                              "iroute-ipv6",
                              "key-derivation",
                              "learn-address",
                              "management-external-cert",
                              "management-external-key",
                              "mktun",
                              "mtu-dynamic",
                              "no-name-remapping",
                              "opt-verify",
                              "override-username",
                              "peer-id",
                              "pkcs11-cert-private",
                              "pkcs11-id",
                              "pkcs11-id-management",
                              "pkcs11-pin-cache",
                              "pkcs11-private-mode",
                              "pkcs11-protected-authentication",
                              "pkcs11-providers",
                              "plugin",
                              "port-share",
                              "protocol-flags",
                              "push-continuation",
                              "push-remove",
                              "push-reset",
                              "rdns-internal",
                              "rmtun",
                              "server",
                              "server-bridge",
                              "server-ipv6",
                              "show-adapters",
                              "show-ciphers",
                              "show-curves",
                              "show-digests",
                              "show-engines",
                              "show-gateway",
                              "show-groups",
                              "show-net",
                              "show-pkcs11-ids",
                              "show-tls",
                              "show-valid-subnets",
                              "socks-proxy",
                              "stale-routes-check",
                              "test-crypto",
                              "tls-crypt-v2-max-age",
                              "tls-crypt-v2-verify",
                              "tls-remote",
                              "tls-server",
                              "tls-verify",
                              "tun-max-mtu",
                              "username-as-common-name",
                              "version",
                              "vlan-accept",
                              "vlan-pvid",
                              "vlan-tagging"};
  return names;
}

TEST(OpenvpnDirectives, HaveTheTreatmentThatIsMeant) {
  for (const Directive& directive : all_directives()) {
    const std::string name(directive.name);
    const bool is_left_out = is_one_of(
        {Treatment::kIgnore, Treatment::kLeaveOut, Treatment::kScript}, directive.treatment);
    const bool is_refused = is_one_of({Treatment::kRefuse, Treatment::kProxy}, directive.treatment);
    EXPECT_EQ(left_out().contains(name), is_left_out) << name;
    EXPECT_EQ(refused().contains(name), is_refused) << name;
    EXPECT_EQ(handed_on().contains(name) || used().contains(name), !is_left_out && !is_refused)
        << name;
  }
  EXPECT_EQ(handed_on().size() + used().size() + left_out().size() + refused().size(),
            all_directives().size());
}

/// Whatever follows them in the line. What a file can say of the others is in the tests above.
TEST(OpenvpnDirectives, AreHandedOnByTheirNameAlone) {
  for (const Directive& directive : all_directives()) {
    const std::string name(directive.name);
    for (const std::string& line : {name, name + " 1", name + " 1 2", name + " /bin/x y z"}) {
      try {
        const OpenvpnConfig config =
            parse_openvpn_config("remote a\n" + line + "\n", "/p/x.ovpn", no_file);
        EXPECT_TRUE(config.text.empty() || handed_on().contains(name)) << line;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), StartsWith("/p/x.ovpn:")) << line;
      }
    }
  }
}

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

/// What a program prints.
std::string output_of(const char* program, const char* option) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw_errno("cannot create a pipe");
  }
  const UniqueFd output(pipe[0]);
  UniqueFd input(pipe[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::dup2(input.get(), STDOUT_FILENO);
    ::execl(program, program, option, nullptr);
    ::_exit(127);
  }
  input.reset();
  std::string text = read_until(output.get(), "\\0");
  (void)::waitpid(child, nullptr, 0);
  return text;
}

TEST_F(RealOpenvpn, HasNoDirectiveThatNobodyHasThoughtOf) {
  std::istringstream help(output_of(openvpn_, "--help"));
  std::size_t count = 0;
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("--")) {
      continue;
    }
    const std::string name =
        line.substr(2, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-", 2) - 2);
    ++count;
    EXPECT_TRUE(handed_on().contains(name) || used().contains(name) || left_out().contains(name) ||
                refused().contains(name))
        << name;
  }
  EXPECT_GT(count, 150U);
}

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
