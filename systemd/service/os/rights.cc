// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr unsigned kFirstOther = 3;  // after standard input, output and error

}  // namespace

void keep_capabilities(const std::vector<int>& capabilities) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) {
    throw_errno("cannot read capabilities");
  }
  std::array<std::uint32_t, 2> wanted{};
  for (const int capability : capabilities) {
    wanted.at(static_cast<std::size_t>(CAP_TO_INDEX(capability))) |= CAP_TO_MASK(capability);
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets.at(i).permitted &= wanted.at(i);
    sets.at(i).effective = sets.at(i).permitted;
    sets.at(i).inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw_errno("cannot drop capabilities");
  }
}

void close_all_but(const std::vector<int>& descriptors) {
  std::vector<int> kept(descriptors);
  std::sort(kept.begin(), kept.end());
  unsigned next = kFirstOther;
  const auto close_up_to = [&next](unsigned last) {
    if (next <= last && ::syscall(SYS_close_range, next, last, 0U) != 0) {
      throw_errno("cannot close descriptors");
    }
  };
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (fd >= 0 && number >= next) {
      close_up_to(number - 1);
      next = number + 1;
    }
  }
  close_up_to(~0U);
}

}  // namespace vpnrun::service
