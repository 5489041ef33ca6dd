// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/log.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace vpnrun::service::log {
namespace {

// One thread: nobody else looks at the environment.
// NOLINTBEGIN(concurrency-mt-unsafe)

/// What is written about an error that does not matter.
std::string written_about(const std::exception& error) {
  testing::internal::CaptureStderr();
  spdlog::drop_all();  // set_up() is for the beginning of a program
  set_up(Level::kInfo);
  ignored(error);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WhatIsIgnoredKeepsItsHint) {
  ASSERT_EQ(::unsetenv("JOURNAL_STREAM"), 0);
  EXPECT_EQ(written_about(Error("cannot do it", {}, "do this")),
            "vpnrun-tunnel: cannot do it, ignoring\nhint: do this\n");
  EXPECT_EQ(written_about(Error("cannot do it")), "vpnrun-tunnel: cannot do it, ignoring\n");
  EXPECT_EQ(written_about(std::runtime_error("lost")), "vpnrun-tunnel: lost, ignoring\n");
}

TEST(Log, InTheJournalTheHintHasTheLevelOfWhatItIsAbout) {
  ASSERT_EQ(::setenv("JOURNAL_STREAM", "1:2", 1), 0);
  EXPECT_EQ(written_about(Error("cannot do it", {}, "do this")),
            "<4>cannot do it, ignoring\n<4>hint: do this\n");
  ASSERT_EQ(::unsetenv("JOURNAL_STREAM"), 0);
}

TEST(Log, WhatWasWrittenIsKeptAndWhatIsForDebuggingIsNot) {
  testing::internal::CaptureStderr();
  spdlog::drop_all();
  set_up(Level::kDebug);
  const auto before = recent().after(0, 1U << 30U).size();
  int told = 0;
  on_line([&told] { ++told; });
  info("'{}' is up", "work");
  debug("openvpn: {}", "PUSH_REPLY");
  failure(Error("no answer", {}, "look"));
  on_line({});
  warn("nobody is told");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("PUSH_REPLY"), std::string::npos);
  const auto lines = recent().after(0, 1U << 30U);
  ASSERT_EQ(lines.size(), before + 4);
  EXPECT_EQ(lines[before].text, "'work' is up");
  EXPECT_EQ(lines[before].level, "info");
  EXPECT_EQ(lines[before + 1].text, "no answer");
  EXPECT_EQ(lines[before + 2].text, "hint: look");
  EXPECT_EQ(lines[before + 2].level, "error");
  EXPECT_EQ(lines[before + 3].level, "warning");
  EXPECT_EQ(told, 2);
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace
}  // namespace vpnrun::service::log
