// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/make_openvpn_client.h"

#include <utility>

#include "systemd/service/client/openvpn/login.h"
#include "systemd/service/client/openvpn/openvpn_client.h"

namespace vpnrun::service {

std::unique_ptr<TunnelClient> make_openvpn_client(
    EventLoop& loop, const profile::Profile& profile, profile::OpenvpnConfig config,
    const openvpn::ProcessPlace& place, const std::string& device,
    const std::function<std::shared_ptr<void>()>& make_device, TunnelEvents events) {
  (void)openvpn::find_program();
  CredentialFiles files = credential_files(profile, config);
  return std::make_unique<OpenvpnClient>(loop, std::move(files), std::move(config),
                                         openvpn::process_starter(loop, place, device),
                                         make_device(), std::move(events));
}

}  // namespace vpnrun::service
