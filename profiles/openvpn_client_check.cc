// SPDX-License-Identifier: GPL-2.0-or-later
// As options_postprocess_verify() of OpenVPN 2.6 sees a client.
#include "profiles/openvpn_client_check.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace vpnrun::profile {
namespace {

using namespace std::string_view_literals;

class ClientCheck {
 public:
  ClientCheck(const OpenvpnConfig& config, Absence absence, Findings& findings)
      : config_(config),
        // What the file that it names has may be all that is missing here.
        absence_(line_of("config") ? Absence::kUnclear : absence),
        findings_(findings) {}

  void run() {
    const bool tls = line_of("client") || line_of("tls-client");
    if (tls && line_of("secret")) {
      exclude("secret", line_of("client") ? "client" : "tls-client");
    }
    if (tls) {
      authority();
      login();
      control_channel();
    } else if (!line_of("secret") && !line_of("tls-server") && !line_of("server")) {
      no_mode();
    }
  }

 private:
  [[nodiscard]] std::optional<std::size_t> line_of(std::string_view directive) const {
    const auto found = config_.given.find(directive);
    return found == config_.given.end() ? std::nullopt : std::optional(found->second);
  }

  void add(std::size_t line, const std::string& text) { findings_.add(line, Error(text)); }
  void add_absence(std::size_t line, const std::string& text) {
    if (absence_ == Absence::kTold) {
      add(line, text);
    }
  }

  /// Both are there.
  void exclude(std::string_view one, std::string_view other) {
    const std::size_t first = std::min(*line_of(one), *line_of(other));
    const std::size_t second = std::max(*line_of(one), *line_of(other));
    const bool in_order = *line_of(one) == first;
    add(second, formatted("'{}' and '{}' in line {} exclude each other: the server uses one of "
                          "them; remove the other",
                          in_order ? other : one, in_order ? one : other, first));
  }

  void authority() {
    if (!line_of("ca") && !line_of("peer-fingerprint") && !line_of("pkcs12") &&
        !line_of("capath")) {
      add_absence(0,
                  "nothing to check the server by: expected <ca> … </ca> or 'ca FILE', or "
                  "'peer-fingerprint'");
    }
  }

  void login() {
    const auto cert = line_of("cert");
    const auto key = line_of("key");
    if (line_of("pkcs12")) {
      for (const std::string_view other : {"cert"sv, "key"sv}) {
        if (line_of(other)) {
          exclude("pkcs12", other);
        }
      }
    } else if (has_other_login()) {
      return;
    } else if (cert && !key) {
      add_absence(*cert,
                  "'cert' without 'key': expected the private key of the certificate as well");
    } else if (key && !cert) {
      add_absence(*key,
                  "'key' without 'cert': expected the certificate of the private key as well");
    } else if (!cert && !(pulls() && asks_login())) {
      add_absence(
          0, pulls() ? "nothing to log in with: expected 'cert' and 'key', 'pkcs12', or "
                       "'auth-user-pass'"
                     : "nothing to log in with: expected 'cert' and 'key', or 'pkcs12' (without "
                       "'client' or 'pull' OpenVPN takes no login)");
    }
  }

  [[nodiscard]] bool pulls() const { return line_of("client") || line_of("pull"); }
  [[nodiscard]] bool asks_login() const {
    return config_.needs_user_pass || line_of("auth-user-pass");
  }
  /// Of those that are refused.
  [[nodiscard]] bool has_other_login() const {
    constexpr std::array kOthers = {
        "pkcs11-id"sv,     "pkcs11-id-management"sv,    "pkcs11-providers"sv,
        "cryptoapicert"sv, "management-external-key"sv, "management-external-cert"sv};
    return std::any_of(kOthers.begin(), kOthers.end(),
                       [this](auto name) { return line_of(name).has_value(); });
  }

  void control_channel() {
    constexpr std::array kKeys = {"tls-auth"sv, "tls-crypt"sv, "tls-crypt-v2"sv};
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      for (std::size_t j = i + 1; j < kKeys.size(); ++j) {
        if (line_of(kKeys.at(i)) && line_of(kKeys.at(j))) {
          exclude(kKeys.at(i), kKeys.at(j));
        }
      }
    }
  }

  void no_mode() {
    constexpr std::array kOfTls = {"ca"sv,
                                   "cert"sv,
                                   "key"sv,
                                   "pkcs12"sv,
                                   "tls-auth"sv,
                                   "tls-crypt"sv,
                                   "tls-crypt-v2"sv,
                                   "remote-cert-tls"sv,
                                   "peer-fingerprint"sv};
    const bool has_tls =
        asks_login() || std::any_of(kOfTls.begin(), kOfTls.end(),
                                    [this](auto name) { return line_of(name).has_value(); });
    add_absence(0, has_tls ? "the line 'client' is missing"
                           : "nothing encrypts this tunnel: expected 'client' and <ca> … </ca>, or "
                             "'secret'");
  }

  const OpenvpnConfig& config_;
  Absence absence_;
  Findings& findings_;
};

}  // namespace

void add_client_findings(const OpenvpnConfig& config, Absence absence, Findings& findings) {
  ClientCheck(config, absence, findings).run();
}

void check_client_config(const OpenvpnConfig& config, const std::string& path) {
  Findings findings(path);
  add_client_findings(config, Absence::kTold, findings);
  findings.raise();
}

}  // namespace vpnrun::profile
