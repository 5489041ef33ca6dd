// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/kernel.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/error.h"
#include "systemd/service/child.h"

namespace vpnrun::service {
namespace {

using ::testing::HasSubstr;

/// mount_setattr(2) fails with `error` from now on: as on a kernel that is older, or refuses it.
void answer(unsigned error) {
  constexpr unsigned kCall = offsetof(seccomp_data, nr);
  std::array<sock_filter, 4> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount_setattr, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw_errno("cannot filter system calls");
  }
}

TEST(Kernel, ThisOneWillDo) {
  EXPECT_NO_THROW(require_kernel());
}

TEST(Kernel, AnOldOneIsNamedWithTheVersionThatIsNeeded) {
  utsname machine{};
  ASSERT_EQ(::uname(&machine), 0);
  try {
    run_in_child({}, [] {
      answer(ENOSYS);
      require_kernel();
    });
    FAIL() << "it will do";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::string("too old: Linux ") + machine.release));
    EXPECT_THAT(error.hint(), HasSubstr("needs Linux 5.12"));
  }
}

TEST(Kernel, ACallThatIsRefusedForAnotherReasonSaysNothingOfTheVersion) {
  EXPECT_NO_THROW(run_in_child({}, [] {
    answer(EPERM);
    require_kernel();
  }));
}

}  // namespace
}  // namespace vpnrun::service
