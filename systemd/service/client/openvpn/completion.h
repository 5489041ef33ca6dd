// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace vpnrun::service::openvpn {

/// What becomes of a configuration (profile::OpenvpnConfig::text) before OpenVPN gets it: what is
/// vpnrun's to decide is taken out of it, and put in.
struct Completed {
  std::string before;  ///< lines that have to precede it: the first one counts
  std::string text;    ///< the configuration without what is ours
  std::string after;   ///< lines that have to follow: the last one counts
};

/// Words and silence: `verb` and `mute` are ours. At 3 OpenVPN says why it fails, and what the
/// server pushes; from 7 on it would say the keys of the session.
///
/// Ciphers: a `cipher` that the configuration names without `data-ciphers` is one that its server
/// has. OpenVPN up to 2.5 offered it; later ones do not, and an old server then refuses everybody.
/// It is added as an optional one: a library that lacks it leaves it out.
///
/// Liveness: a client that pulls its settings gives a server up that has been silent for
/// kSilenceUsual, which is what OpenVPN does by itself and a file may switch off (`ping-restart 0`)
/// or turn into the end of the process (`ping-exit`), and so may the server. Neither is let: under
/// a dead tunnel applications would hang. Other numbers of the file count, up to kSilenceMax; those
/// that the server pushes replace them, and are not for OpenVPN to judge: whatever it pushes, a
/// server that has been silent for kSilenceEnd is given up by OpenvpnClient. (A server that never
/// says anything by itself is connected to anew in each such time without traffic, as by plain
/// OpenVPN.) Where nothing is pulled (static keys), nothing says that the other end pings, and only
/// a number of the file counts.
///
/// Log-ins in a browser: the server is told that their link is shown (IV_SSO), unless the
/// configuration says something about it.
[[nodiscard]] Completed complete(std::string_view config);

constexpr unsigned kPingUsual = 15;
constexpr unsigned kSilenceUsual = 120;
constexpr unsigned kSilenceMax = 180;
/// So late that OpenVPN itself has given the server up before, if it waits for no more than
/// kSilenceMax: what it says of the bytes that have come may be half a minute old.
constexpr unsigned kSilenceEnd = 240;

}  // namespace vpnrun::service::openvpn
