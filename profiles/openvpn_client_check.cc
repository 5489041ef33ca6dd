// SPDX-License-Identifier: GPL-2.0-or-later
// As options_postprocess_verify() of OpenVPN 2.6 sees a client.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "profiles/findings.h"
#include "profiles/openvpn_config.h"

namespace vpnrun::profile {
namespace {

using namespace std::string_view_literals;

class ClientCheck {
 public:
  ClientCheck(const OpenvpnConfig& config, const std::string& path)
      : config_(config), findings_(path) {}

  void run() {
    const bool tls = line_of("client") || line_of("tls-client");
    if (tls && line_of("secret")) {
      exclude("secret", line_of("client") ? "client" : "tls-client");
    }
    if (tls) {
      authority();
      login();
      control_channel();
    } else if (!line_of("secret")) {
      no_mode();
    }
    findings_.raise();
  }

 private:
  [[nodiscard]] std::optional<std::size_t> line_of(std::string_view directive) const {
    const auto found = config_.given.find(directive);
    return found == config_.given.end() ? std::nullopt : std::optional(found->second);
  }

  void add(std::size_t line, const std::string& text) { findings_.add(line, Error(text)); }

  /// Both are there.
  void exclude(std::string_view one, std::string_view other) {
    const std::size_t first = std::min(*line_of(one), *line_of(other));
    const std::size_t second = std::max(*line_of(one), *line_of(other));
    const bool in_order = *line_of(one) == first;
    add(second, fmt::format("'{}' and '{}' in line {} exclude each other: the server uses one of "
                            "them; remove the other",
                            in_order ? other : one, in_order ? one : other, first));
  }

  void authority() {
    if (!line_of("ca") && !line_of("peer-fingerprint") && !line_of("pkcs12")) {
      add(0,
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
    } else if (cert && !key) {
      add(*cert, "'cert' without 'key': expected the private key of the certificate as well");
    } else if (key && !cert) {
      add(*key, "'key' without 'cert': expected the certificate of the private key as well");
    } else if (!cert && !(pulls() && config_.needs_user_pass)) {
      add(0, pulls() ? "nothing to log in with: expected 'cert' and 'key', 'pkcs12', or "
                       "'auth-user-pass'"
                     : "nothing to log in with: expected 'cert' and 'key', or 'pkcs12' (without "
                       "'client' or 'pull' OpenVPN takes no login)");
    }
  }

  [[nodiscard]] bool pulls() const { return line_of("client") || line_of("pull"); }

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
    const bool has_tls = config_.needs_user_pass ||
                         std::any_of(kOfTls.begin(), kOfTls.end(),
                                     [this](auto name) { return line_of(name).has_value(); });
    add(0, has_tls ? "the line 'client' is missing"
                   : "nothing encrypts this tunnel: expected 'client' and <ca> … </ca>, or "
                     "'secret'");
  }

  const OpenvpnConfig& config_;
  Findings findings_;
};

}  // namespace

void check_client_config(const OpenvpnConfig& config, const std::string& path) {
  ClientCheck(config, path).run();
}

}  // namespace vpnrun::profile
