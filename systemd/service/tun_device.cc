// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/tun_device.h"

#include <chrono>
#include <thread>

#include "profiles/base/error.h"
#include "systemd/service/filter/inside_filter.h"
#include "systemd/service/netlink/link.h"
#include "systemd/service/netlink/tun.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

constexpr std::chrono::milliseconds kTunPatience{2'000};
constexpr std::chrono::milliseconds kTunPause{10};

void set_device_sysctl(const Netns& inside, const char* format, const char* value) {
  const std::string name = formatted(fmt::runtime(format), filter::kTunnelDevice);
  const int error = inside.write_sysctl(name, value);
  if (error != 0 && error != ENOENT) {  // ENOENT: this kernel has no IPv6
    throw_error(error, "cannot set '{}'", name);
  }
}

/// The client of a killed companion dies with it, but releases the device some milliseconds later,
/// once its mount namespace is gone.
void make_tun(uid_t owner) {
  const auto deadline = std::chrono::steady_clock::now() + kTunPatience;
  for (;;) {
    try {
      (void)netlink::create_tun(filter::kTunnelDevice, owner);
      return;
    } catch (const Error& error) {
      if (error.code() != std::errc::device_or_resource_busy ||
          std::chrono::steady_clock::now() > deadline) {
        throw;
      }
    }
    std::this_thread::sleep_for(kTunPause);
  }
}

void remove_device(Netns& inside) noexcept {
  try {
    (void)netlink::delete_link(inside.socket(), filter::kTunnelDevice);
  } catch (const std::exception& error) {
    log::ignored(error);
  }
}

}  // namespace

void make_tun_device(Netns& inside, ::uid_t owner) {
  inside.run([owner] { make_tun(owner); });
  // The filter sends queries to 127.0.0.53 into the tunnel: their answers come back to a loopback
  // address.
  set_device_sysctl(inside, "net/ipv4/conf/{}/route_localnet", "1");
  // When the server assigns another address of the same network, the old one is removed, and the
  // new one, which was a secondary address until then, has to stay.
  set_device_sysctl(inside, "net/ipv4/conf/{}/promote_secondaries", "1");
  // Nothing that the server sends may configure the device: no router advertisements, no link-local
  // address.
  set_device_sysctl(inside, "net/ipv6/conf/{}/accept_ra", "0");
  set_device_sysctl(inside, "net/ipv6/conf/{}/addr_gen_mode", "1");
}

TunDevice::TunDevice(Netns& inside, ::uid_t owner) : inside_(inside) {
  try {
    make_tun_device(inside_, owner);
  } catch (const std::exception&) {
    remove_device(inside_);  // it may be there, and half set up
    throw;
  }
}

TunDevice::~TunDevice() {
  remove_device(inside_);
}

}  // namespace vpnrun::service
