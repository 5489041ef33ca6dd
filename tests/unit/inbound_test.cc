// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/inbound.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

using Ports = std::vector<profile::Port>;

TEST(Inbound, PortsAreAddedOnceAndRemovedWhetherTheyWereOpenOrNot) {
  const profile::Port web{Transport::kTcp, 80};
  const profile::Port game{Transport::kUdp, 80};
  EXPECT_EQ(text_of(with_changes({}, {web, web, game}, {})), "tcp/80, udp/80");
  EXPECT_EQ(text_of(with_changes({web, game}, {}, {web})), "udp/80");
  EXPECT_EQ(text_of(with_changes({}, {}, {web})), "none");
  EXPECT_EQ(text_of(with_changes({web}, {web}, {web})), "tcp/80") << "in both: open";
}

TEST(Inbound, SoManyAndNoMore) {
  Ports many;
  for (int i = 1; i <= 256; ++i) {
    many.push_back({Transport::kTcp, static_cast<std::uint16_t>(i)});
  }
  const profile::Port one_more{Transport::kTcp, 1000};
  EXPECT_EQ(with_changes({}, many, {}).size(), 256U);
  EXPECT_THROW((void)with_changes(many, {one_more}, {}), Error);
  EXPECT_EQ(with_changes(many, {one_more}, {many.front()}).size(), 256U);
  many.push_back({Transport::kTcp, 999});
  EXPECT_EQ(with_changes(many, {}, {many.front()}).size(), 256U) << "a file may name more";
  EXPECT_EQ(with_changes(many, {one_more}, {many.front()}).size(), 257U) << "not more than before";
}

}  // namespace
}  // namespace vpnrun::service
