// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/openvpn_directives.h"

#include <algorithm>
#include <array>
#include <vector>

#include "profiles/nearest.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kOwnSocket = "the client's socket lives in its own namespace";
constexpr std::string_view kOnlyEndpoint = "only the server that was connected to can answer";
constexpr std::string_view kReconnects = "vpnrun itself decides when and where to connect again";
constexpr std::string_view kResolves = "vpnrun resolves the server's name outside the tunnel";
constexpr std::string_view kOtherEndpoint =
    "it changes the server's address behind the filter's back; write the address into 'remote'";
constexpr std::string_view kNeedsProxy =
    "proxies are not supported: nothing but the VPN server can be reached";
constexpr std::string_view kNoProxy = "proxies are not supported";
constexpr std::string_view kBlockOnly = "it is a block: <connection> … </connection>";
constexpr std::string_view kNoScript = "no script runs that could use it";
constexpr std::string_view kOwnDevice = "vpnrun makes the tunnel device";
constexpr std::string_view kObsolete = "it has no effect any more";
constexpr std::string_view kRoutes =
    "vpnrun sets addresses and routes: everything goes through the tunnel";
constexpr std::string_view kRemoved =
    "OpenVPN no longer knows it; 'fragment' and 'tun-mtu-max' are its successors";
constexpr std::string_view kFolder =
    "OpenVPN would open files by itself; put the certificates into one file and name it by 'ca'";
constexpr std::string_view kWritesFile = "the client writes no file";
constexpr std::string_view kOwnLog = "the client's messages go to vpnrun's own log";
constexpr std::string_view kOwnStatus = "'vpnrunctl status' has the state of the tunnel";
constexpr std::string_view kLoads = "it loads code from a file; remove the line";
constexpr std::string_view kToken =
    "smart cards are not supported: they need a library loaded into the client";
constexpr std::string_view kWindowsStore =
    "the key is in the certificate store of Windows; export it and name the file by 'pkcs12'";
constexpr std::string_view kRemovedNames =
    "OpenVPN has removed it; 'verify-x509-name' is its successor";
constexpr std::string_view kAsks = "the passphrase is asked for through vpnrun";
constexpr std::string_view kProcess = "vpnrun starts and watches the client itself";
constexpr std::string_view kRuns = "it runs a program; remove the line";
constexpr std::string_view kVerifies =
    "its program would check the server, and vpnrun runs none; use 'verify-x509-name'";
constexpr std::string_view kSetsNames = "vpnrun sets addresses, routes and names itself";
constexpr std::string_view kScripts = "vpnrun runs no program that a file names";
constexpr std::string_view kInclude = "it reads another file; put its content here";
constexpr std::string_view kBeside = "files are looked for beside this one";
constexpr std::string_view kConfines = "vpnrun confines the client itself";
constexpr std::string_view kDamages = "it would damage packets on purpose";
constexpr std::string_view kExternalKey =
    "the key is in another program; export it and name the file by 'key'";
constexpr std::string_view kManagement =
    "vpnrun drives the client through its own management socket";
constexpr std::string_view kWindows = "it is for Windows";
constexpr std::string_view kServer = "it is for servers";
constexpr std::string_view kServersOnly = "it is for servers, and has no effect in a client";
constexpr std::string_view kPushed = "only a server may send it";
constexpr std::string_view kInternal = "it is for OpenVPN's own use";
constexpr std::string_view kCommand = "it is a command, not a setting";

using enum Treatment;

// Each line is a decision: whoever adds one says what OpenVPN does with it as the user `vpnrun`, in
// the sealed namespace, with a file that root trusts less than it thinks.
constexpr std::array<Directive, 324> kDirectives = {{
    // The server and how it is reached
    {"remote", kRemote, {}, true},
    {"remote-random", kRemoteRandom},
    {"proto", kProto, {}, true},
    {"proto-force", kProtoForce},
    {"port", kPort, {}, true},
    {"rport", kPort, {}, true},
    {"nobind", kPass, {}, true},
    {"explicit-exit-notify", kPass, {}, true, true},
    {"connect-timeout", kPass, {}, true, true},
    {"server-poll-timeout", kPass, {}, true, true},
    {"tcp-nodelay", kPass},
    {"socket-flags", kPass},
    {"sndbuf", kPass},
    {"rcvbuf", kPass},
    {"mtu-disc", kPass, {}, true, true},
    {"passtos", kPass},
    {"fast-io", kPass},
    {"bind", kIgnore, kOwnSocket, true},
    {"local", kIgnore, kOwnSocket, true},
    {"lport", kIgnore, kOwnSocket, true},
    {"bind-dev", kIgnore, kOwnSocket},
    {"multihome", kIgnore, kOwnSocket},
    {"mark", kIgnore, kOwnSocket},
    {"float", kIgnore, kOnlyEndpoint, true},
    {"connect-retry", kIgnore, kReconnects, true},
    {"connect-retry-max", kIgnore, kReconnects, true},
    {"resolv-retry", kIgnore, kResolves},
    {"preresolve", kIgnore, kResolves},
    {"remote-random-hostname", kRandomHostname},
    {"allow-pull-fqdn", kIgnore, kResolves},
    {"ip-remote-hint", kRefuse, kOtherEndpoint},
    {"http-proxy", kProxy, kNeedsProxy, true},
    {"http-proxy-user-pass", kProxy, kNeedsProxy},
    {"http-proxy-option", kProxy, kNeedsProxy, true},
    {"http-proxy-override", kProxy, kNeedsProxy},
    {"socks-proxy", kProxy, kNeedsProxy, true},
    {"http-proxy-retry", kIgnore, kNoProxy, true},
    {"http-proxy-timeout", kIgnore, kNoProxy, true},
    {"socks-proxy-retry", kIgnore, kNoProxy, true},
    // Role and session
    {"client", kPass},
    {"pull", kPass},
    {"pull-filter", kPass},
    {"push-peer-info", kPass},
    {"single-session", kPass},
    {"tls-exit", kPass},
    {"disable-occ", kPass},
    {"compat-mode", kPass},
    {"ping", kPass},
    {"ping-exit", kPass},
    {"ping-restart", kPass},
    {"ping-timer-rem", kPass},
    {"keepalive", kPass},
    {"inactive", kPass},
    {"session-timeout", kPass},
    {"mode", kMode},
    {"connection", kRefuse, kBlockOnly},
    {"ignore-unknown-option", kIgnoreUnknown},
    {"setenv", kSetenv},
    {"setenv-safe", kIgnore, kNoScript},
    {"remap-usr1", kIgnore, kReconnects},
    {"persist-key", kIgnore, kReconnects},
    {"persist-tun", kIgnore, kReconnects},
    {"persist-local-ip", kIgnore, kReconnects},
    {"persist-remote-ip", kIgnore, kReconnects},
    // The tunnel device, addresses, routes, names
    {"dev", kDev},
    {"dev-type", kDevType},
    {"dev-node", kIgnore, kOwnDevice},
    {"lladdr", kIgnore, kOwnDevice},
    {"txqueuelen", kIgnore, kOwnDevice},
    {"tun-ipv6", kIgnore, kObsolete},
    {"ifconfig", kAddresses},
    {"ifconfig-ipv6", kAddresses},
    {"topology", kPass},
    {"tun-mtu", kPass, {}, true, true},
    {"max-packet-size", kPass, {}, true, true},
    {"tun-mtu-max", kPass, {}, true, true},
    {"tun-mtu-extra", kPass, {}, true, true},
    {"link-mtu", kPass, {}, true, true},
    {"udp-mtu", kPass, {}, true, true},
    {"fragment", kPass, {}, true, true},
    {"mssfix", kPass, {}, true, true},
    {"mtu-test", kPass},
    {"shaper", kPass},
    {"client-nat", kPass},
    {"dhcp-option", kPass},
    {"dns", kPass},
    {"block-ipv6", kPass},
    {"allow-recursive-routing", kPass},
    {"disable-dco", kPass},
    {"ifconfig-noexec", kIgnore, kRoutes},
    {"ifconfig-nowarn", kIgnore, kRoutes},
    {"route-noexec", kIgnore, kRoutes},
    {"route-nopull", kIgnore, kRoutes},
    {"route", kIgnore, kRoutes},
    {"route-ipv6", kIgnore, kRoutes},
    {"route-gateway", kIgnore, kRoutes},
    {"route-ipv6-gateway", kIgnore, kRoutes},
    {"route-metric", kIgnore, kRoutes},
    {"route-delay", kIgnore, kRoutes},
    {"route-table", kIgnore, kRoutes},
    {"max-routes", kIgnore, kRoutes},
    {"redirect-gateway", kIgnore, kRoutes},
    {"redirect-private", kIgnore, kRoutes},
    {"dns-updown", kDnsUpdown, kSetsNames},
    {"mtu-dynamic", kRefuse, kRemoved},
    {"tun-max-mtu", kRefuse, kRemoved},
    // Keys and certificates
    {"ca", kPem},
    {"cert", kPem},
    {"key", kPem},
    {"extra-certs", kPem},
    {"crl-verify", kPem},
    {"tls-crypt", kPemNumber, {}, true},
    {"tls-crypt-v2", kPemCookie, {}, true},
    {"tls-auth", kPemDirection, {}, true},
    {"secret", kPemDirection},
    {"pkcs12", kPkcs12},
    {"verify-hash", kFingerprints},
    {"peer-fingerprint", kFingerprints},
    {"providers", kProviders},
    {"tls-client", kPass},
    {"tls-cipher", kPass},
    {"tls-ciphersuites", kPass},
    {"tls-groups", kPass},
    {"tls-cert-profile", kPass},
    {"tls-version-min", kPass},
    {"tls-version-max", kPass},
    {"tls-timeout", kPass},
    {"hand-window", kPass},
    {"tran-window", kPass},
    {"reneg-sec", kPass},
    {"reneg-bytes", kPass},
    {"reneg-pkts", kPass},
    {"ecdh-curve", kPass},
    {"remote-cert-tls", kPass},
    {"remote-cert-ku", kPass},
    {"remote-cert-eku", kPass},
    {"ns-cert-type", kPass},
    {"verify-x509-name", kPass},
    {"x509-username-field", kPass},
    {"x509-track", kPass},
    {"key-direction", kKeyDirection, {}, true},
    {"auth", kPass},
    {"cipher", kPass},
    {"data-ciphers", kPass},
    {"data-ciphers-fallback", kPass},
    {"ncp-ciphers", kPass},
    {"no-replay", kPass},
    {"replay-window", kPass},
    {"mute-replay-warnings", kPass},
    {"keying-material-exporter", kPass},
    {"force-tls-key-material-export", kPass},
    {"compress", kPass},
    {"comp-lzo", kPass},
    {"comp-noadapt", kPass},
    {"allow-compression", kPass},
    {"allow-deprecated-insecure-static-crypto", kPassIfKnown},
    {"capath", kRefuse, kFolder},
    {"replay-persist", kLeaveOut, kWritesFile},
    {"tls-export-cert", kLeaveOut, kWritesFile},
    {"engine", kRefuse, kLoads},
    {"pkcs11-providers", kRefuse, kLoads},
    {"pkcs11-cert-private", kRefuse, kToken},
    {"pkcs11-id", kRefuse, kToken},
    {"pkcs11-id-management", kRefuse, kToken},
    {"pkcs11-pin-cache", kRefuse, kToken},
    {"pkcs11-private-mode", kRefuse, kToken},
    {"pkcs11-protected-authentication", kRefuse, kToken},
    {"cryptoapicert", kRefuse, kWindowsStore},
    {"prng", kIgnore, kObsolete},
    {"use-prediction-resistance", kIgnore, kObsolete},
    {"keysize", kIgnore, kObsolete},
    {"key-method", kIgnore, kObsolete},
    {"ncp-disable", kIgnore, kObsolete},
    {"no-iv", kIgnore, kObsolete},
    {"tls-remote", kRefuse, kRemovedNames},
    {"compat-names", kRefuse, kRemovedNames},
    {"no-name-remapping", kRefuse, kRemovedNames},
    // Credentials
    {"auth-user-pass", kAuthUserPass},
    {"auth-nocache", kPass},
    {"auth-token", kPass},
    {"auth-token-user", kPass},
    {"static-challenge", kPass},
    {"auth-retry", kIgnore, kReconnects},
    {"askpass", kIgnore, kAsks},
    // Messages
    {"verb", kVerb},
    {"mute", kPass},
    {"daemon", kIgnore, kProcess},
    {"syslog", kIgnore, kProcess},
    {"errors-to-stderr", kIgnore, kProcess},
    {"suppress-timestamps", kIgnore, kProcess},
    {"machine-readable-output", kIgnore, kProcess},
    {"status-version", kIgnore, kProcess},
    {"echo", kIgnore, kProcess},
    {"parameter", kIgnore, kProcess},
    {"log", kLeaveOut, kOwnLog},
    {"log-append", kLeaveOut, kOwnLog},
    {"status", kLeaveOut, kOwnStatus},
    {"writepid", kLeaveOut, kProcess},
    {"memstats", kLeaveOut, kWritesFile},
    // Programs, plugins, other files
    {"up", kScript, kSetsNames},
    {"down", kScript, kSetsNames},
    {"route-up", kScript, kSetsNames},
    {"route-pre-down", kScript, kSetsNames},
    {"ipchange", kScript, kSetsNames},
    {"tls-verify", kRefuse, kVerifies},
    {"auth-user-pass-verify", kRefuse, kRuns},
    {"client-connect", kRefuse, kRuns},
    {"client-disconnect", kRefuse, kRuns},
    {"client-crresponse", kRefuse, kRuns},
    {"learn-address", kRefuse, kRuns},
    {"tls-crypt-v2-verify", kRefuse, kRuns},
    {"iproute", kLeaveOut, kSetsNames},
    {"script-security", kLeaveOut, kScripts},
    {"up-delay", kIgnore, kNoScript},
    {"up-restart", kIgnore, kNoScript},
    {"down-pre", kIgnore, kNoScript},
    {"plugin", kRefuse, kLoads},
    {"config", kRefuse, kInclude},
    {"tmp-dir", kLeaveOut, kWritesFile},
    // The process
    {"user", kIgnore, kProcess},
    {"group", kIgnore, kProcess},
    {"nice", kIgnore, kProcess},
    {"mlock", kIgnore, kProcess},
    {"cd", kLeaveOut, kBeside},
    {"chroot", kLeaveOut, kConfines},
    {"setcon", kLeaveOut, kConfines},
    {"gremlin", kLeaveOut, kDamages},
    {"management", kLeaveOut, kManagement},
    {"management-client", kLeaveOut, kManagement},
    {"management-client-auth", kLeaveOut, kManagement},
    {"management-client-group", kLeaveOut, kManagement},
    {"management-client-pf", kLeaveOut, kManagement},
    {"management-client-user", kLeaveOut, kManagement},
    {"management-external-cert", kRefuse, kExternalKey},
    {"management-external-key", kRefuse, kExternalKey},
    {"management-forget-disconnect", kLeaveOut, kManagement},
    {"management-hold", kLeaveOut, kManagement},
    {"management-log-cache", kLeaveOut, kManagement},
    {"management-query-passwords", kLeaveOut, kManagement},
    {"management-query-proxy", kLeaveOut, kManagement},
    {"management-query-remote", kLeaveOut, kManagement},
    {"management-signal", kLeaveOut, kManagement},
    {"management-up-down", kLeaveOut, kManagement},
    // Windows
    {"allow-nonadmin", kIgnore, kWindows},
    {"block-outside-dns", kIgnore, kWindows},
    {"dhcp-pre-release", kIgnore, kWindows},
    {"dhcp-release", kIgnore, kWindows},
    {"dhcp-renew", kIgnore, kWindows},
    {"ip-win32", kIgnore, kWindows},
    {"msg-channel", kIgnore, kWindows},
    {"pause-exit", kIgnore, kWindows},
    {"register-dns", kIgnore, kWindows},
    {"route-method", kIgnore, kWindows},
    {"service", kIgnore, kWindows},
    {"show-net-up", kIgnore, kWindows},
    {"tap-sleep", kIgnore, kWindows},
    {"win-sys", kIgnore, kWindows},
    {"windows-driver", kIgnore, kWindows},
    // Servers
    {"server", kRefuse, kServer},
    {"server-bridge", kRefuse, kServer},
    {"server-ipv6", kRefuse, kServer},
    {"tls-server", kRefuse, kServer},
    {"dh", kLeaveOut, kServersOnly},
    {"push", kLeaveOut, kServersOnly},
    {"push-remove", kRefuse, kServer},
    {"push-reset", kRefuse, kServer},
    {"client-config-dir", kRefuse, kServer},
    {"ccd-exclusive", kRefuse, kServer},
    {"client-to-client", kRefuse, kServer},
    {"duplicate-cn", kRefuse, kServer},
    {"disable", kRefuse, kServer},
    {"ifconfig-pool", kRefuse, kServer},
    {"ifconfig-ipv6-pool", kRefuse, kServer},
    {"ifconfig-pool-linear", kRefuse, kServer},
    {"ifconfig-pool-persist", kRefuse, kServer},
    {"ifconfig-push", kRefuse, kServer},
    {"ifconfig-push-constraint", kLeaveOut, kServersOnly},
    {"ifconfig-ipv6-push", kRefuse, kServer},
    {"iroute", kRefuse, kServer},
    {"iroute-ipv6", kRefuse, kServer},
    {"max-clients", kLeaveOut, kServersOnly},
    {"max-routes-per-client", kLeaveOut, kServersOnly},
    {"connect-freq", kRefuse, kServer},
    {"connect-freq-initial", kLeaveOut, kServersOnly},
    {"stale-routes-check", kRefuse, kServer},
    {"username-as-common-name", kRefuse, kServer},
    {"verify-client-cert", kLeaveOut, kServersOnly},
    {"client-cert-not-required", kRefuse, kServer},
    {"auth-user-pass-optional", kRefuse, kServer},
    {"opt-verify", kRefuse, kServer},
    {"auth-gen-token", kRefuse, kServer},
    {"auth-gen-token-secret", kLeaveOut, kServersOnly},
    {"port-share", kRefuse, kServer},
    {"vlan-tagging", kRefuse, kServer},
    {"vlan-accept", kRefuse, kServer},
    {"vlan-pvid", kRefuse, kServer},
    {"hash-size", kRefuse, kServer},
    {"bcast-buffers", kLeaveOut, kServersOnly},
    {"tcp-queue-limit", kLeaveOut, kServersOnly},
    {"tls-crypt-v2-max-age", kRefuse, kServer},
    {"override-username", kRefuse, kServer},
    {"peer-id", kRefuse, kPushed},
    {"protocol-flags", kRefuse, kPushed},
    {"key-derivation", kRefuse, kPushed},
    {"push-continuation", kRefuse, kPushed},
    {"rdns-internal", kRefuse, kInternal},
    {"dhcp-internal", kRefuse, kInternal},
    // Commands
    {"help", kRefuse, kCommand},
    {"version", kRefuse, kCommand},
    {"mktun", kRefuse, kCommand},
    {"rmtun", kRefuse, kCommand},
    {"genkey", kRefuse, kCommand},
    {"test-crypto", kRefuse, kCommand},
    {"show-adapters", kRefuse, kCommand},
    {"show-ciphers", kRefuse, kCommand},
    {"show-curves", kRefuse, kCommand},
    {"show-digests", kRefuse, kCommand},
    {"show-engines", kRefuse, kCommand},
    {"show-gateway", kRefuse, kCommand},
    {"show-groups", kRefuse, kCommand},
    {"show-net", kRefuse, kCommand},
    {"show-pkcs11-ids", kRefuse, kCommand},
    {"show-tls", kRefuse, kCommand},
    {"show-valid-subnets", kRefuse, kCommand},
}};

}  // namespace

std::span<const Directive> all_directives() noexcept {
  return kDirectives;
}

const Directive* find_directive(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kDirectives.begin(), kDirectives.end(),
                   [name](const Directive& directive) { return directive.name == name; });
  return found == kDirectives.end() ? nullptr : found;
}

std::string_view nearest_directive(std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(kDirectives.size());
  for (const Directive& directive : kDirectives) {
    names.push_back(directive.name);
  }
  return nearest_name(name, names);
}

}  // namespace vpnrun::profile
