// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "profiles/base/endpoint.h"
#include "profiles/openvpn_config.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/client/tunnel_client.h"
#include "systemd/service/os/timers.h"

namespace vpnrun::service {

/// No tunnel at all, which always works: nothing but loopback, as the profile asks for. It has no
/// server, no device and no settings, and changes nothing in the process or the namespace.
class NoTunnel : public TunnelClient {
 public:
  NoTunnel(Timers& timers, TunnelEvents events);

  [[nodiscard]] std::span<const profile::Remote> servers() const noexcept override { return {}; }
  std::optional<Endpoint> connect(const std::vector<Endpoint>& endpoints) override;
  [[nodiscard]] bool drop() noexcept override;
  void stop() noexcept override;
  void forget() noexcept override;
  /// Throws Error: it never asks.
  void answer(const ControlRequest& request) override;

 private:
  Timers& timers_;
  TunnelEvents events_;
  Timers::Handle connected_;
};

}  // namespace vpnrun::service
