// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "helper/die.h"

namespace vpnrun {
namespace {

TEST(HelperMessage, MasksControlCharactersOfTheCaller) {
  EXPECT_EQ(Text(Untrusted{"a\n\r\x1b[31m\x7f\tb"}).view(), "a???[31m??b");
}

TEST(HelperMessage, MasksControlsInUtf8AndKeepsLetters) {
  EXPECT_EQ(Text(Untrusted{"\xc2\x9b"
                           "31m \xc3\xa4 \xc2\xa0"})
                .view(),
            "?31m \xc3\xa4 \xc2\xa0");
  EXPECT_EQ(Text(Untrusted{"\xc2"}).view(), "\xc2");
}

TEST(HelperMessage, CutsLongStringsOfTheCaller) {
  const std::string text = std::string(Text(Untrusted{std::string(5000, 'x').c_str()}).view());
  EXPECT_LT(text.size(), 200U);
  EXPECT_TRUE(text.ends_with("x..."));
}

TEST(HelperMessage, CutsWhatDoesNotFit) {
  const std::string part(300, 'y');
  EXPECT_EQ(Text(part.c_str(), part.c_str(), part.c_str()).view(), std::string(480, 'y'));
}

TEST(HelperMessage, DescribesErrorsWithoutALocale) {
  EXPECT_EQ(Text("x", Errno{ENOENT}).view(), "x: No such file or directory");
  EXPECT_EQ(Text(Errno{-7}).view(), ": unknown error");
}

TEST(HelperMessageDeathTest, HasTwoLinesAndTheExitCode) {
  EXPECT_EXIT(die(Text("cannot a"), Text("do b")), testing::ExitedWithCode(125),
              "^vpnrun: cannot a\nhint: do b\n$");
  EXPECT_EXIT(die(Text("c"), Text("d"), kExitNotFound), testing::ExitedWithCode(127), "c\nhint: d");
}

}  // namespace
}  // namespace vpnrun
