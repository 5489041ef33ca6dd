// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/kernel.h"

#include <sys/mount.h>
#include <sys/utsname.h>

#include <cerrno>

#include "profiles/base/error.h"

namespace vpnrun::service {

void require_kernel() {
  // There is no such descriptor and no such structure: every kernel that knows the call refuses it.
  if (::mount_setattr(-1, "", 0, nullptr, 0) == 0 || errno != ENOSYS) {
    return;
  }
  utsname machine{};
  (void)::uname(&machine);  // fails only for a bad pointer
  throw Error(formatted("this kernel is too old: Linux {}", machine.release),
              std::make_error_code(std::errc::function_not_supported),
              "vpnrun needs Linux 5.12 or later (mount_setattr(2)); in a container, a sandbox that "
              "refuses this call has the same effect");
}

}  // namespace vpnrun::service
