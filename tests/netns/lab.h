// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>

#include "helper/base/unique_fd.h"
#include "systemd/service/filter/host_filter.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/netlink/socket.h"
#include "tests/netns/netns_process.h"
#include "tests/netns/packets.h"

namespace vpnrun::test {

constexpr const char* kServer = "198.51.100.10";       ///< the endpoint
constexpr const char* kOtherServer = "198.51.100.11";  ///< a second address of the same machine
constexpr const char* kHostWan = "198.51.100.1";
constexpr const char* kHostEnd = "10.213.0.1";
constexpr const char* kNsEnd = "10.213.0.2";
constexpr const char* kHostEnd6 = "fd00:213::1";
constexpr const char* kNsEnd6 = "fd00:213::2";
constexpr const char* kTunnelAddress = "10.8.0.2";
constexpr const char* kTunnelAddress6 = "fd00:8::2";
constexpr const char* kTunnelDns = "10.8.0.1";
constexpr const char* kTunnelDns6 = "fd00:8::1";
constexpr const char* kHostLink = "vr-lab";
constexpr std::uint16_t kEndpointPort = 1194;

/// Three machines without any filter: an application's namespace, the host, and a VPN server, with
/// links as the companion makes them and forwarding on.
///
///     inside (uplink, tun0) ── host (vr-lab, wan) ── server (eth0)
///
/// The process is on the host. `tun` is the VPN client's end of the tunnel device; invalid if tun
/// devices cannot be had here.
struct Lab {
  Lab();

  Netns inside;
  Netns server;
  UniqueFd tun;

  /// What the companion would load; client_uid is that of this process.
  [[nodiscard]] static filter::InsideFilter inside_filter();
  [[nodiscard]] static filter::HostFilter host_filter();
  void load(const filter::InsideFilter& rules) const;
  static void load(const filter::HostFilter& rules);
};

/// Ends the test as skipped if the lab has no tun device. As root it has.
void require_tun(const Lab& lab);

}  // namespace vpnrun::test
