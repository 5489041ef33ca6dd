// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/features.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun {
namespace {

using ::testing::ElementsAre;

TEST(Features, TheFirstVersionHadThese) {
  EXPECT_THAT(feature::first(),
              ElementsAre("answer", "asks", "follow", "one-time-passwords", "restart"));
}

TEST(Features, ThisVersionHasLostNone) {
  const auto own = feature::own();
  for (const std::string& name : feature::first()) {
    EXPECT_NE(std::find(own.begin(), own.end(), name), own.end()) << name;
  }
}

TEST(Features, NamesWhatARequestTakes) {
  const auto missing_of = [](const ControlRequest& request) {
    return feature::missing(request, {});
  };
  ControlRequest request;
  for (const Command command : {Command::kStatus, Command::kUp, Command::kDown, Command::kHello}) {
    request.command = command;
    EXPECT_EQ(missing_of(request), std::nullopt);
  }
  request.follow = true;
  EXPECT_EQ(missing_of(request), feature::kFollow);
  request.asks = true;
  EXPECT_EQ(feature::missing(request, {"follow"}), feature::kAsks);
  EXPECT_EQ(feature::missing(request, {"follow", "asks"}), std::nullopt);
  request = {};
  request.command = Command::kRestart;
  EXPECT_EQ(missing_of(request), feature::kRestart);
  request.command = Command::kInbound;
  EXPECT_EQ(missing_of(request), feature::kInbound);
  request.command = Command::kAnswer;
  EXPECT_EQ(missing_of(request), feature::kAnswer);
  EXPECT_EQ(feature::missing(request, {"answer"}), std::nullopt);
  request.response = Secret("123456");
  EXPECT_EQ(feature::missing(request, {"answer"}), feature::kOneTimePasswords);
  request = {};
  request.command = Command::kLog;
  EXPECT_EQ(feature::missing(request, feature::first()), feature::kLog);
  EXPECT_EQ(feature::missing(request, feature::own()), std::nullopt);
}

}  // namespace
}  // namespace vpnrun
