// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/no_tunnel.h"

#include <chrono>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::service {

NoTunnel::NoTunnel(Timers& timers, TunnelEvents events)
    : timers_(timers), events_(std::move(events)) {}

std::optional<Endpoint> NoTunnel::connect(const std::vector<Endpoint>& /*endpoints*/) {
  connected_ = timers_.after(std::chrono::milliseconds(0), [this] {
    connected_.reset();
    events_.connected({});
  });
  return std::nullopt;
}

bool NoTunnel::drop() noexcept {
  return false;
}

void NoTunnel::stop() noexcept {
  connected_.reset();
}

void NoTunnel::forget() noexcept {
  connected_.reset();
}

void NoTunnel::answer(const ControlRequest& /*request*/) {
  throw Error("this question is no longer asked");
}

}  // namespace vpnrun::service
