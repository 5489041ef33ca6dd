// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/subordinate_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<SubordinateIds> parse(std::string_view text) {
  return parse_subordinate_ids(text, "/etc/subuid");
}

TEST(SubordinateIds, CoverFromTheFirstToTheLast) {
  const auto all = parse("alice:60706:10\n");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].covers(60705));
  EXPECT_TRUE(all[0].covers(60706));
  EXPECT_TRUE(all[0].covers(60715));
  EXPECT_FALSE(all[0].covers(60716));
}

TEST(SubordinateIds, CountLinesAlsoOfAnotherForm) {
  const auto all = parse("# people\n\nalice:100000:65536\nbob:10000:65536");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].line, 3U);
  EXPECT_EQ(all[1].line, 4U);
  EXPECT_EQ(all[1].file, "/etc/subuid");
  EXPECT_FALSE(all[0].covers(60706));
  EXPECT_TRUE(all[1].covers(60706));
}

TEST(SubordinateIds, IgnoreLinesOfAnotherForm) {
  for (const char* line : {"alice", "alice:60706", "alice:60706:", "alice::10", ":60706:10",
                           "alice:60706:10:", "alice:60706:10:1", "alice:60706:10x", "alice:x:10",
                           "alice:60706:99999999999999999999", "::", ":", ""}) {
    EXPECT_THAT(parse(line), IsEmpty()) << line;
  }
}

TEST(SubordinateIds, OfNoneCoverNothing) {
  const auto all = parse("alice:60706:0\n");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].covers(60706));
}

TEST(SubordinateIds, ReadNumbersAsNewuidmapDoes) {
  const auto all = parse("alice:0xed22:0xa\nbob:0166442:012\n");
  ASSERT_THAT(all, SizeIs(2));
  for (const auto& ids : all) {
    EXPECT_EQ(ids.first, 60706U);
    EXPECT_EQ(ids.count, 10U);
  }
}

TEST(SubordinateIds, ReachTheEndOfAllNumbersWithoutWrapping) {
  const auto all =
      parse("alice:18446744073709551615:18446744073709551615\nbob:1:18446744073709551615\n");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_FALSE(all[0].covers(60706));
  EXPECT_TRUE(all[1].covers(60706));
  EXPECT_FALSE(all[1].covers(0));
}

}  // namespace
}  // namespace vpnrun::service
