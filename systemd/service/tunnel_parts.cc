// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/tunnel_parts.h"

#include <utility>
#include <variant>

#include "systemd/service/client/no_tunnel.h"
#include "systemd/service/client/openvpn/make_openvpn_client.h"
#include "systemd/service/link/no_link.h"
#include "systemd/service/link/veth_link.h"
#include "systemd/service/netns_inside.h"
#include "systemd/service/tun_device.h"

namespace vpnrun::service {
namespace {

/// What the parts of every type are made with.
struct Site {
  EventLoop& loop;
  const profile::Profile& profile;
  const Account& client;
  Netns& outer;
  Netns& inside;
};

void add(TunnelParts& parts, const Site& site, const NoConfig& /*config*/, PartEvents events) {
  parts.type = "none";
  parts.link = std::make_unique<NoLink>();
  parts.client = std::make_unique<NoTunnel>(site.loop, std::move(events.client));
}

void add(TunnelParts& parts, const Site& site, const profile::OpenvpnConfig& config,
         PartEvents events) {
  parts.type = "openvpn";
  parts.device = filter::kTunnelDevice;
  const openvpn::ProcessPlace place{site.profile.name, site.inside.fd(), site.client.uid,
                                    site.client.gid};
  parts.client = make_openvpn_client(
      site.loop, site.profile, config, place, filter::kTunnelDevice,
      [&site] { return std::make_shared<TunDevice>(site.inside, site.client.uid); },
      std::move(events.client));
  parts.link = std::make_unique<VethLink>(site.loop, site.profile, site.outer, site.inside,
                                          std::move(events.link));
}

}  // namespace

TunnelParts make_parts(EventLoop& loop, const Configuration& configuration, const Account& client,
                       Netns& outer, Netns& inside, PartEvents events) {
  TunnelParts parts;
  const Site site{loop, configuration.profile, client, outer, inside};
  parts.inside = std::make_unique<NetnsInside>(loop, configuration.profile, inside, client.uid,
                                               std::move(events.device_lost));
  std::visit([&](const auto& config) { add(parts, site, config, std::move(events)); },
             configuration.tunnel);
  return parts;
}

}  // namespace vpnrun::service
