// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include "systemd/service/netns.h"

namespace vpnrun::service {

/// Makes the tunnel device tun0 in `inside`: a persistent tun device that a client of the user
/// `owner` may attach to, and that nothing a server sends can configure. An existing one is kept,
/// so that connections of running applications can go on. Waits up to two seconds for a client that
/// is about to release it. Throws Error with a hint.
void make_tun_device(Netns& inside, ::uid_t owner);

/// The same, and removes the device at the end of this object.
class TunDevice {
 public:
  /// `inside` must outlive this object. Throws Error with a hint.
  TunDevice(Netns& inside, ::uid_t owner);
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;
  TunDevice(TunDevice&&) = delete;
  TunDevice& operator=(TunDevice&&) = delete;
  ~TunDevice();

 private:
  Netns& inside_;
};

}  // namespace vpnrun::service
