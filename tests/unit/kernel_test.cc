// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/kernel.h"

#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cerrno>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/os/child.h"
#include "tests/unit/failing_call.h"

namespace vpnrun::service {
namespace {

using ::testing::HasSubstr;

TEST(Kernel, ThisOneWillDo) {
  EXPECT_NO_THROW(require_kernel());
}

TEST(Kernel, AnOldOneIsNamedWithTheVersionThatIsNeeded) {
  utsname machine{};
  ASSERT_EQ(::uname(&machine), 0);
  try {
    run_in_child({}, [] {
      test::let_fail(SYS_mount_setattr, ENOSYS);
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
    test::let_fail(SYS_mount_setattr, EPERM);
    require_kernel();
  }));
}

}  // namespace
}  // namespace vpnrun::service
