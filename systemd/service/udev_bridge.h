// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "systemd/service/netns.h"
#include "systemd/service/os/budget.h"
#include "systemd/service/os/event_loop.h"

namespace vpnrun::service {

/// Who sent a datagram of netlink(7), in the kernel's words.
struct UeventSender {
  std::optional<uid_t> uid;  ///< SCM_CREDENTIALS; nullopt: none came
  std::uint32_t groups = 0;  ///< nl_groups: 0 if it was meant for one receiver
};

/// Whether `datagram` is what the udev daemon sends to everybody who listens: by root, to its
/// group, with libudev's head and well-formed. Not what is about an interface (SUBSYSTEM=net): that
/// belongs to the machine's network, and a profile has others of the same names.
[[nodiscard]] bool is_udev_event(std::string_view datagram, const UeventSender& sender) noexcept;

/// Hands the events of the udev daemon to a profile, so that programs inside notice a gamepad or
/// keyboard that is plugged in later. libudev listens for them by netlink, and the daemon sends in
/// the machine's network namespace only. (The kernel's own events come to every namespace.)
///
/// One way, and unchanged. The kernel lets nobody send to that group but who has CAP_NET_ADMIN over
/// the namespace, and says who it was: root, who this process is, too.
class UdevBridge {
 public:
  /// Listens in `host` and sends in `inside`; both are borrowed for this call. Throws Error.
  UdevBridge(EventLoop& loop, const Netns& host, const Netns& inside);

  /// Datagrams that are handed on before others have their turn.
  static constexpr int kBatch = 32;

 private:
  void listen();
  void hand_on();
  [[nodiscard]] bool hand_on_one();

  EventLoop& loop_;
  UniqueFd outside_;
  UniqueFd inside_;
  EventLoop::Handle watch_;
  EventLoop::Handle pause_;
  /// Tens of thousands at once, and then one fiftieth of the time; what comes meanwhile is lost, as
  /// it is to everybody who does not keep up.
  Budget budget_{50, std::chrono::milliseconds(300)};
};

}  // namespace vpnrun::service
