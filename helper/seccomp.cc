// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "helper/die.h"

namespace vpnrun {
namespace {

constexpr auto kUsual = std::to_array<sock_filter>({
#include "application_filter.inc"
});
constexpr auto kOpenToI386 = std::to_array<sock_filter>({
#include "application_filter_i386.inc"
});

template <std::size_t kSize>
void load(std::array<sock_filter, kSize> program) noexcept {  // the kernel's interface is not const
  const sock_fprog filter{.len = static_cast<unsigned short>(kSize), .filter = program.data()};
  // SPEC_ALLOW: this is not a sandbox. Older kernels otherwise slow every filtered process down.
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) !=
      0) {
    die(Text("cannot load the socket filter", Errno{errno}),
        Text("the kernel needs CONFIG_SECCOMP_FILTER"));
  }
}

}  // namespace

void load_application_filter(const Origin& origin) noexcept {
  if (origin.i386 == 1) {
    load(kOpenToI386);
  } else {
    load(kUsual);
  }
}

}  // namespace vpnrun
