// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cstddef>
#include <optional>

#include "profiles/base/error.h"

namespace vpnrun::test {

/// Only calls whose argument `number`, from 0, is `value` (its lower half).
struct Argument {
  unsigned number = 0;
  unsigned value = 0;
};

/// The system call `call` (SYS_…) fails with `error` from now on, for this process and what it
/// starts: for a child of the test only. Throws Error if the filter cannot be loaded. seccomp(2).
inline void let_fail(unsigned call, unsigned error, std::optional<Argument> only = {}) {
  constexpr unsigned kCall = offsetof(seccomp_data, nr);
  const Argument argument = only.value_or(Argument());
  const auto at =
      static_cast<unsigned>(offsetof(seccomp_data, args) + argument.number * sizeof(__u64));
  const unsigned char other = only ? 1 : 0;
  std::array<sock_filter, 6> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument.value, 0, other),
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
