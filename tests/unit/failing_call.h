// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cstddef>

#include "profiles/base/error.h"

namespace vpnrun::test {

/// The system call `call` (SYS_…) fails with `error` from now on, for this process and what it
/// starts: for a child of the test only. Throws Error if the filter cannot be loaded. seccomp(2).
inline void let_fail(unsigned call, unsigned error) {
  constexpr unsigned kCall = offsetof(seccomp_data, nr);
  std::array<sock_filter, 4> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw_errno("cannot filter system calls");
  }
}

}  // namespace vpnrun::test
