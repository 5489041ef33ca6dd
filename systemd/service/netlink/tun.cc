// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::netlink {
namespace {

constexpr const char* kTunNode = "/dev/net/tun";

[[noreturn]] void throw_tun(int error, const std::string& text, const std::string& hint) {
  const std::error_code code(error, std::generic_category());
  throw Error(text + ": " + code.message(), code, hint);
}

UniqueFd open_tun_node() {
  UniqueFd node(::open(kTunNode, O_RDWR | O_CLOEXEC));
  if (node.ok()) {
    return node;
  }
  const int error = errno;
  const std::string text = std::string("cannot open '") + kTunNode + "'";
  if (error == ENOENT || error == ENODEV || error == ENXIO) {
    throw_tun(error, text,
              "the kernel's tun driver is not there: modprobe tun; in a container, the device must "
              "be passed in");
  }
  throw_tun(error, text,
            "the device must be allowed here (a unit's DeviceAllow=/dev/net/tun, a container's "
            "device list)");
}

std::string hint_for(int error, const std::string& name) {
  switch (error) {
    case EBUSY:
      return "a program is still attached to '" + name + "': end it first";
    case EINVAL:
      return "'" + name + "' is another kind of link: delete it first";
    case EPERM:
      return "this needs CAP_NET_ADMIN in the namespace";
    default:
      return {};
  }
}

}  // namespace

bool create_tun(const std::string& name, ::uid_t owner) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    throw_error(EINVAL, "cannot make the tunnel device '{}'", name);
  }
  const UniqueFd node = open_tun_node();
  const bool existed = ::if_nametoindex(name.c_str()) != 0;

  ::ifreq request{};
  std::copy(name.begin(), name.end(), std::begin(request.ifr_name));
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(node.get(), TUNSETIFF, &request) != 0) {
    const int error = errno;
    throw_tun(error, "cannot make the tunnel device '" + name + "'", hint_for(error, name));
  }
  if (::ioctl(node.get(), TUNSETOWNER, owner) != 0) {
    throw_errno("cannot give the tunnel device '{}' to user {}", name, owner);
  }
  if (::ioctl(node.get(), TUNSETPERSIST, 1) != 0) {
    throw_errno("cannot keep the tunnel device '{}'", name);
  }
  return !existed;
}

}  // namespace vpnrun::netlink
