// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/tries.h"

namespace vpnrun::service::openvpn {

void Tries::release_hold(Clock::time_point now) noexcept {
  released_ = now;
  ++tries_;
}

bool Tries::may_go_on(Clock::time_point now, std::size_t servers) const noexcept {
  return !released_ || tries_ < servers || now - *released_ >= kQuick;
}

}  // namespace vpnrun::service::openvpn
