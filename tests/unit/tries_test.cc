// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/tries.h"

#include <gtest/gtest.h>

namespace vpnrun::service::openvpn {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TriesTest : public testing::Test {
 protected:
  Tries tries_;
  Tries::Clock::time_point now_{seconds(1000)};
};

TEST_F(TriesTest, AProcessAtItsFirstHoldIsReleased) {
  EXPECT_TRUE(tries_.may_go_on(now_, 1));
}

TEST_F(TriesTest, AProcessIsReleasedForEachOfItsServersOnce) {
  int tries = 0;
  while (tries < 100 && tries_.may_go_on(now_, 3)) {
    tries_.release_hold(now_);
    now_ += milliseconds(2);
    ++tries;
  }
  EXPECT_EQ(tries, 3);
}

TEST_F(TriesTest, ATryThatTookItsTimeMayBeFollowedByAnother) {
  tries_.release_hold(now_);
  now_ += Tries::kQuick - milliseconds(1);
  EXPECT_FALSE(tries_.may_go_on(now_, 1));
  now_ += milliseconds(1);
  EXPECT_TRUE(tries_.may_go_on(now_, 1));
}

TEST_F(TriesTest, AnAttemptBeginsWithAFullList) {
  tries_.release_hold(now_);
  EXPECT_FALSE(tries_.may_go_on(now_, 1));
  tries_ = {};
  EXPECT_TRUE(tries_.may_go_on(now_, 1));
}

}  // namespace
}  // namespace vpnrun::service::openvpn
