// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/log_ring.h"

#include <string>

#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

constexpr std::size_t kAll = 1U << 30U;

TEST(LogRing, GivesWhatCameAfterANumber) {
  LogRing ring;
  EXPECT_TRUE(ring.after(0, kAll).empty());
  ring.add(10, "info", "one");
  ring.add(11, "error", "two\nhint: three");
  const auto all = ring.after(0, kAll);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].number, 1U);
  EXPECT_EQ(all[0].time, 10);
  EXPECT_EQ(all[0].level, "info");
  EXPECT_EQ(all[2].number, 3U);
  EXPECT_EQ(all[2].level, "error");
  EXPECT_EQ(all[2].text, "hint: three");
  ASSERT_EQ(ring.after(2, kAll).size(), 1U);
  EXPECT_TRUE(ring.after(3, kAll).empty());
  EXPECT_TRUE(ring.after(~std::uint64_t{0}, kAll).empty());
}

TEST(LogRing, KeepsSoManyLinesAndNoMore) {
  LogRing ring;
  for (std::size_t i = 0; i < LogRing::kLinesMax + 7; ++i) {
    ring.add(0, "info", "line");
  }
  const auto all = ring.after(0, kAll);
  EXPECT_EQ(all.size(), LogRing::kLinesMax);
  EXPECT_EQ(all.front().number, 8U);  // what is gone is seen by its number
}

TEST(LogRing, KeepsSoManyBytesAndNoMoreWhateverIsLogged) {
  LogRing ring;
  for (int i = 0; i < 300; ++i) {
    ring.add(0, "info", std::string(100'000, 'x'));
    ring.add(0, "info", std::string(50'000, '\n'));
  }
  std::size_t bytes = 0;
  for (const auto& entry : ring.after(0, kAll)) {
    EXPECT_LE(entry.text.size(), LogRing::kTextMax);
    bytes += entry.text.size();
  }
  EXPECT_LE(bytes, LogRing::kBytesMax);
}

TEST(LogRing, GivesNoMoreAtOnceThanIsAskedForAndAlwaysSomething) {
  LogRing ring;
  for (int i = 0; i < 10; ++i) {
    ring.add(0, "info", std::string(1000, 'x'));
  }
  EXPECT_EQ(ring.after(0, 3 * (1000 + LogRing::kEntryCost)).size(), 3U);
  EXPECT_EQ(ring.after(0, 1).size(), 1U);
}

TEST(LogRing, WhatIsTooLongEndsBetweenCharactersAndSaysSo) {
  LogRing ring;
  std::string text;
  while (text.size() < LogRing::kTextMax + 100) {
    text += "東";
  }
  ring.add(0, "info", text);
  const std::string kept = ring.after(0, kAll).front().text;
  EXPECT_TRUE(kept.ends_with("東…"));
  EXPECT_LE(kept.size(), LogRing::kTextMax);
}

TEST(LogRing, NothingInItMovesACursor) {
  LogRing ring;
  ring.add(0, "info", "a\x1b[2Jb\rc");
  EXPECT_EQ(ring.after(0, kAll).front().text, "a?[2Jb?c");
}

}  // namespace
}  // namespace vpnrun::service
