// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/failure.h"

#include <algorithm>
#include <array>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

/// How many bytes of OpenVPN's own words are quoted: its server may have taken it over.
constexpr std::size_t kWordsMax = 200;

struct Pattern {
  std::string_view start;    ///< of the line: what comes later may be a stranger's words
  std::string_view content;  ///< anywhere after that
  Failure::Kind kind;
  const char* error;  ///< nullptr: the line itself
  const char* hint;
};

/// In the words of OpenVPN 2.5 to 2.7 and OpenSSL 3; OpenVPN prints them without a time or a prefix
/// (client_options()). The first match counts.
constexpr std::array<Pattern, 17> kPatterns = {{
    {"AUTH: Received control message: AUTH_FAILED", "", Failure::Kind::kCredentials,
     "the server refuses the user name or password",
     "check the file that [tunnel] credentials names: user name in line 1, password in line 2"},
    {"WARNING: Your certificate has expired", "", Failure::Kind::kStubborn,
     "the client certificate of this profile has expired",
     "get a new configuration from the provider; or check the clock: date"},
    {"WARNING: Your certificate is not yet valid", "", Failure::Kind::kStubborn,
     "the client certificate of this profile is not yet valid", "check the clock: date"},
    {"VERIFY X509NAME ERROR", "", Failure::Kind::kPeer,
     "the server is not the one that verify-x509-name asks for", ""},
    {"VERIFY EKU ERROR", "", Failure::Kind::kPeer,
     "the certificate of the server is not meant for a server", ""},
    {"VERIFY KU ERROR", "", Failure::Kind::kPeer,
     "the certificate of the server is not meant for a server", ""},
    {"Options error:", "", Failure::Kind::kSetup, nullptr,
     "OpenVPN rejects the configuration; was it made for a newer version?"},
    {"Cannot load", "", Failure::Kind::kSetup, nullptr,
     "a certificate or key of the configuration is damaged"},
    {"ERROR: Cannot open TUN/TAP dev", "", Failure::Kind::kSetup,
     "the VPN client may not open '/dev/net/tun'",
     "udev opens it to everybody: udevadm trigger /dev/net/tun; in a container, the container's "
     "device list has to allow it"},
    {"ERROR: Cannot ioctl TUNSETIFF", "", Failure::Kind::kSetup,
     "the VPN client cannot attach to the tunnel device", ""},
    {"read ", "Connection refused", Failure::Kind::kPassing, "the server refuses the connection",
     ""},
    {"write ", "Connection refused", Failure::Kind::kPassing, "the server refuses the connection",
     ""},
    {"TCP: connect", "Connection refused", Failure::Kind::kPassing,
     "the server refuses the connection", ""},
    {"read ", "Network is unreachable", Failure::Kind::kPassing, "there is no route to the server",
     "is this machine online?"},
    {"write ", "Network is unreachable", Failure::Kind::kPassing, "there is no route to the server",
     "is this machine online?"},
    {"TCP: connect", "Network is unreachable", Failure::Kind::kPassing,
     "there is no route to the server", "is this machine online?"},
    {"TLS Error: TLS handshake failed", "", Failure::Kind::kPassing,
     "the TLS handshake with the server failed", ""},
}};

/// "VERIFY ERROR: depth=0, error=certificate has expired: C=…, CN=…, serial=1": only what precedes
/// the subject is OpenVPN's; the rest is chosen by whoever answers, who needs no key but his own
/// for it.
std::optional<Failure> failure_of_certificate(std::string_view line) {
  if (!line.starts_with("VERIFY ERROR")) {
    return std::nullopt;
  }
  constexpr std::string_view kDepth = "VERIFY ERROR: depth=";
  constexpr std::string_view kError = ", error=";
  std::string_view reason;
  const auto after = line.find_first_not_of("0123456789", std::min(kDepth.size(), line.size()));
  if (line.starts_with(kDepth) && after != std::string_view::npos &&
      line.substr(after).starts_with(kError)) {
    reason = line.substr(after + kError.size());
    reason = reason.substr(0, reason.find(": "));
  }
  if (reason == "certificate has expired") {
    return Failure{
        Failure::Kind::kPeer, "the certificate of the server has expired",
        "check the clock: date; if it is right, the provider has to renew the certificate"};
  }
  if (reason == "certificate is not yet valid") {
    return Failure{Failure::Kind::kPeer, "the certificate of the server is not yet valid",
                   "check the clock: date"};
  }
  return Failure{
      Failure::Kind::kPeer,
      "the certificate of the server is not signed by the configuration's authority",
      "somebody in between answers, or the <ca> of the configuration does not match this server; "
      "in that case get a new one from the provider"};
}

}  // namespace

std::optional<Failure> failure_from_output(std::string_view line) {
  if (auto failure = failure_of_certificate(line)) {
    return failure;
  }
  if (line.starts_with("Options error:") && line.find("[PUSH-OPTIONS]") != std::string_view::npos) {
    return std::nullopt;  // the server's words, not ours
  }
  for (const auto& pattern : kPatterns) {
    if (line.starts_with(pattern.start) && line.find(pattern.content) != std::string_view::npos) {
      return Failure{pattern.kind,
                     pattern.error != nullptr
                         ? std::string(pattern.error)
                         : "OpenVPN says: " + printable(line.substr(0, kWordsMax)),
                     pattern.hint};
    }
  }
  return std::nullopt;
}

Failure failure_from_state(std::string_view detail, const std::string& endpoint) {
  if (detail == "auth-failure") {
    return *failure_from_output("AUTH: Received control message: AUTH_FAILED");
  }
  Failure failure;
  if (detail == "ping-restart" || detail == "ping-exit") {
    failure.error = fmt::format("the server {} stopped answering", endpoint);
  } else if (detail == "server_poll" || detail == "init_instance" || detail == "tls-error") {
    failure.error = fmt::format("no connection to the server {}", endpoint);
  } else {
    failure.error =
        fmt::format("the connection to {} ended ({})", endpoint,
                    detail.empty() ? "no reason given" : printable(detail.substr(0, kWordsMax)));
  }
  return failure;
}

Failure passing_failure(std::string error) {
  return {Failure::Kind::kPassing, std::move(error), ""};
}

Failure passing_failure(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return {Failure::Kind::kPassing, error.what(), ours != nullptr ? ours->hint() : ""};
}

bool is_passing(const Failure& failure) {
  return failure.kind <= Failure::Kind::kPeer;
}

bool explains_more(const Failure& candidate, const std::optional<Failure>& current) {
  return !current || candidate.kind > current->kind;
}

}  // namespace vpnrun::service
