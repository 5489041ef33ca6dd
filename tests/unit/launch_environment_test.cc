// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/launch_environment.h"

#include <sys/resource.h>

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/request_format.h"
#include "profiles/base/format.h"
#include "tests/unit/launcher_machine.h"

namespace vpnrun {
namespace {

using test::Words;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

std::vector<std::string> strings(char* const* words) {
  std::vector<std::string> result;
  for (; *words != nullptr; ++words) {
    result.emplace_back(*words);
  }
  return result;
}

TEST(LaunchEnvironment, EveryStringIsMarkedInItsOrderWhateverItIs) {
  const Words command({"app", "-x", ""});
  const Words environment({"LD_PRELOAD=a.so", "", "A=1", "no-equals", "A=2", "=odd", "\xff=\x01"});
  HelperCall call("work", command.data(), environment.data(), kStackCut);
  EXPECT_THAT(strings(call.arguments()), ElementsAre("vpnrun-helper", "work", "app", "-x", ""));
  EXPECT_THAT(
      strings(call.environment()),
      ElementsAre("+LD_PRELOAD=a.so", "+", "+A=1", "+no-equals", "+A=2", "+=odd", "+\xff=\x01"));
}

TEST(LaunchEnvironment, AnEmptyEnvironmentStaysEmpty) {
  const Words command({"app"});
  const Words environment({});
  HelperCall call("work", command.data(), environment.data(), kStackCut);
  EXPECT_THAT(strings(call.environment()), IsEmpty());
}

TEST(LaunchEnvironment, ALargeEnvironmentIsNotTornByItsGrowth) {
  std::vector<std::string> variables;
  std::vector<std::string> marked;
  for (int i = 0; i < 1000; ++i) {
    variables.push_back(formatted("V{0}={0:0>{0}}", i));
    marked.push_back(formatted("+{}", variables.back()));
  }
  const Words command({"app"});
  const Words environment(variables);
  HelperCall call("work", command.data(), environment.data(), kStackCut);
  EXPECT_THAT(strings(call.environment()), ElementsAreArray(marked));
}

TEST(LaunchEnvironment, LooksUpWholeNamesOnly) {
  const Words environment({"HOMER=x", "HOME", "HOME=/a", "HOME=/b"});
  EXPECT_STREQ(environment_value(environment.data(), "HOME"), "/a");
  EXPECT_EQ(environment_value(environment.data(), "HOM"), nullptr);
}

TEST(HelperCall, SendsAStackLimitOnlyIfTheKernelWouldCutIt) {
  std::string name = "true";
  std::string variable = "A=1";
  const std::array<char*, 2> command = {name.data(), nullptr};
  const std::array<char*, 2> environment = {variable.data(), nullptr};
  HelperCall small("work", command.data(), environment.data(), kStackCut);
  EXPECT_STREQ(small.environment()[0], "+A=1");
  HelperCall large("work", command.data(), environment.data(), kStackCut + 1);
  EXPECT_STREQ(large.environment()[0], "-RLIMIT_STACK=8388609");
  EXPECT_STREQ(large.environment()[1], "+A=1");
  HelperCall endless("work", command.data(), environment.data(), RLIM_INFINITY);
  EXPECT_STREQ(endless.environment()[0], "-RLIMIT_STACK=unlimited");
}

}  // namespace
}  // namespace vpnrun
