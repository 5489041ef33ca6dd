// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/own_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kUsual = "127.0.0.1 localhost\n127.0.1.1 box.lan\tbox\n";

TEST(HostsText, IsTheMachinesWhereThatHasTheName) {
  EXPECT_EQ(hosts_text(kUsual, "box"), kUsual);
  EXPECT_EQ(hosts_text(kUsual, "BOX.lan"), kUsual);
  EXPECT_EQ(hosts_text(kUsual, ""), kUsual);
}

TEST(HostsText, GetsTheNameInBothFamiliesBehindWhatTheMachineHas) {
  const std::string text = hosts_text(kUsual, "tower");
  EXPECT_THAT(text, StartsWith(kUsual));
  EXPECT_THAT(text, EndsWith("127.0.1.1 tower\n::1 tower\n"));
  EXPECT_THAT(text.substr(std::string(kUsual).size()), Not(HasSubstr("localhost")));
}

TEST(HostsText, ACommentAnAddressOrAPartOfANameIsNoName) {
  for (const char* line : {"# 127.0.1.1 box", "127.0.1.1 other # box", "box", "127.0.1.1 box.lan",
                           "127.0.1.1 mybox", ""}) {
    EXPECT_THAT(hosts_text(line, "box"), EndsWith("127.0.1.1 box\n::1 box\n")) << line;
  }
}

TEST(HostsText, EndsTheMachinesLastLineAndKnowsLocalhost) {
  EXPECT_THAT(hosts_text("192.0.2.1 somebody", "box"), StartsWith("192.0.2.1 somebody\n# "));
  EXPECT_THAT(hosts_text("", "box"), HasSubstr("127.0.0.1 localhost\n::1 localhost\n"));
}

TEST(OwnName, IsTheKernelsOrNone) {
  EXPECT_EQ(own_name().find_first_of(" \t\n"), std::string::npos);
}

}  // namespace
}  // namespace vpnrun::service
