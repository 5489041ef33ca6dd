// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/name.h"

#include <string>

#include <gtest/gtest.h>

namespace vpnrun {
namespace {

TEST(ProfileName, AcceptsLettersDigitsAndInnerMarks) {
  for (const char* name : {"a", "0", "work", "tunnelbear-se", "a_b-c", "9lives", "a-", "a_"}) {
    EXPECT_TRUE(is_valid_profile_name(name)) << name;
  }
}

TEST(ProfileName, AcceptsUpToTheLimitAndNoMore) {
  EXPECT_TRUE(is_valid_profile_name(std::string(kProfileNameMax, 'a')));
  EXPECT_FALSE(is_valid_profile_name(std::string(kProfileNameMax + 1, 'a')));
}

TEST(ProfileName, RejectsWhatWouldLeaveTheDirectory) {
  for (const char* name : {"", ".", "..", "../a", "a/b", "/a", "a/", "./a", ".hidden", "a.b"}) {
    EXPECT_FALSE(is_valid_profile_name(name)) << name;
  }
}

TEST(ProfileName, RejectsWhatWouldReadAsAnOption) {
  EXPECT_FALSE(is_valid_profile_name("-a"));
  EXPECT_FALSE(is_valid_profile_name("_a"));
}

TEST(ProfileName, RejectsEveryOtherByteInEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool inner = letter_or_digit || c == '-' || c == '_';
    EXPECT_EQ(is_valid_profile_name(std::string{c}), letter_or_digit) << byte;
    EXPECT_EQ(is_valid_profile_name(std::string{'a', c, 'b'}), inner) << byte;
    EXPECT_EQ(is_valid_profile_name(std::string{'a', c}), inner) << byte;
  }
}

}  // namespace
}  // namespace vpnrun
