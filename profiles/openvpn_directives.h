// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The allow-list: what becomes of each directive of OpenVPN. Private to openvpn_config.cc.
namespace vpnrun::profile {

enum class Treatment : std::uint8_t {
  kPass,          ///< handed on with its arguments
  kPassIfKnown,   ///< handed on as `setenv opt …`: not every OpenVPN knows it
  kPem,           ///< `name FILE`: PEM, handed on as an inline block
  kPemDirection,  ///< `name FILE [0|1]`: the same, the number as `key-direction`
  kPemNumber,     ///< `name FILE [NUMBER]`: the same, the number has no meaning
  kPemCookie,     ///< `name FILE [force-cookie|allow-noncookie]`: the same, the word is for servers
  kPkcs12,        ///< `name FILE`: handed on as an inline block of base64
  kFingerprints,  ///< hexadecimal words, or an inline block of them
  kAddresses,     ///< handed on if every argument is an address literal
  kIgnore,        ///< left out, noted with the reason; nobody will miss it
  kLeaveOut,      ///< the same, and a person is told: somebody has written it for a reason
  kScript,        ///< the same for a program: not run
  kRefuse,        ///< Error with the reason
  // With code of their own in openvpn_config.cc:
  kRemote,
  kRemoteRandom,
  kRandomHostname,
  kProto,
  kProtoForce,
  kPort,
  kKeyDirection,
  kDev,
  kDevType,
  kMode,
  kAuthUserPass,
  kSetenv,
  kIgnoreUnknown,
  kProviders,
  kDnsUpdown,
  kProxy,  ///< refused; in a <connection> block its server is left out
  kVerb,
};

struct Directive {
  std::string_view name;
  Treatment treatment = Treatment::kRefuse;
  std::string_view reason = {};  ///< why it does not pass; after a semicolon, what to do
  bool in_connection = false;    ///< may also be in a <connection> block
  bool of_connection = false;    ///< means nothing to blocks in front of it
};

/// Every directive of OpenVPN 2.6 and 2.7, and removed ones that are still in providers' files.
[[nodiscard]] std::span<const Directive> all_directives() noexcept;

/// nullptr if OpenVPN has no such directive.
[[nodiscard]] const Directive* find_directive(std::string_view name) noexcept;

/// The known directive that `name` was most likely meant to be; empty if there is none.
[[nodiscard]] std::string_view nearest_directive(std::string_view name);

}  // namespace vpnrun::profile
