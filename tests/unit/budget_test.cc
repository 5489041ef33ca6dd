// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/budget.h"

#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kNow = Budget::Clock::time_point(std::chrono::hours(1));

TEST(Budget, AllowsAsMuchAsItsStoreAtOnce) {
  Budget budget(50, milliseconds(100));
  EXPECT_TRUE(budget.is_full(kNow));
  budget.charge(kNow, milliseconds(100));
  EXPECT_EQ(budget.wait(kNow), Budget::Cost::zero());
  budget.charge(kNow, milliseconds(1));
  EXPECT_EQ(budget.wait(kNow), milliseconds(50));
  EXPECT_FALSE(budget.is_full(kNow));
}

TEST(Budget, AllowsItsShareForAsLongAsItGoesOn) {
  Budget budget(50, milliseconds(100));
  Budget::Cost spent{0};
  for (auto now = kNow; now < kNow + seconds(1000); now += milliseconds(1)) {
    if (budget.wait(now) == Budget::Cost::zero()) {
      budget.charge(now, milliseconds(1));
      spent += milliseconds(1);
    }
  }
  EXPECT_LE(spent, seconds(20) + milliseconds(102));
  EXPECT_GE(spent, seconds(20));
}

TEST(Budget, FillsUpAndForgets) {
  Budget budget(50, milliseconds(100));
  budget.charge(kNow, milliseconds(100));
  EXPECT_FALSE(budget.is_full(kNow + seconds(4)));
  EXPECT_TRUE(budget.is_full(kNow + seconds(5)));
}

TEST(Budget, ShutsNobodyOutForLong) {
  Budget budget(50, milliseconds(100));
  budget.charge(kNow, std::chrono::hours(1));
  EXPECT_EQ(budget.wait(kNow), Budget::kLongestWait);
}

}  // namespace
}  // namespace vpnrun::service
