// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/tries.h"

namespace vpnrun::service::openvpn {

void Tries::let_go(Clock::time_point now) noexcept {
  let_go_ = now;
  ++tries_;
}

bool Tries::may_go_on(Clock::time_point now, std::size_t servers) const noexcept {
  return !let_go_ || tries_ < servers || now - *let_go_ >= kQuick;
}

}  // namespace vpnrun::service::openvpn
