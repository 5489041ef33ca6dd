// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/waiting_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As systemctl(1) prints them.
TEST(WaitingUnits, AreThoseToBeStartedThatHaveToWait) {
  EXPECT_THAT(waiting_starts("  101 vpnrun@one.service       start   waiting\n"
                             "  99 vpnrun-netns@one.service  start   running\n"
                             " 103 d.service                 restart waiting\n"
                             " 104 a\\x2db.service           start   waiting\n"
                             " 105 e.service                 stop    waiting\n"),
              ElementsAre("vpnrun@one.service", "d.service", "a\\x2db.service"));
  EXPECT_THAT(waiting_starts("No jobs running.\n"), IsEmpty());
  EXPECT_THAT(waiting_starts(""), IsEmpty());
}

TEST(WaitingUnits, AreNamedInProperties) {
  EXPECT_THAT(shown_units("RequiredBy=a.service \"b\\\\x2dc.service\"\nBoundBy=\n\n"
                          "RequiredBy=vpnrun@one.socket\n"),
              ElementsAre("a.service", "b\\x2dc.service", "vpnrun@one.socket"));
}

}  // namespace
}  // namespace vpnrun::service
