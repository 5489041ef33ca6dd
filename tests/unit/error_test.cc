// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/base/error.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <gtest/gtest.h>

#include "profiles/base/utf8.h"
#include "profiles/nearest.h"

namespace vpnrun {
namespace {

using namespace std::string_literals;

TEST(Error, KeepsTheTextTheCodeAndTheHint) {
  const Error error("cannot do it", std::make_error_code(std::errc::permission_denied), "be root");
  EXPECT_STREQ(error.what(), "cannot do it");
  EXPECT_EQ(error.code(), std::errc::permission_denied);
  EXPECT_EQ(error.hint(), "be root");
}

TEST(Error, PutsContextInFrontAndKeepsTheRest) {
  const Error inner("no route", std::make_error_code(std::errc::network_unreachable), "go online");
  const Error outer = inner.with_context("cannot start 'work'");
  EXPECT_STREQ(outer.what(), "cannot start 'work': no route");
  EXPECT_EQ(outer.code(), inner.code());
  EXPECT_EQ(outer.hint(), "go online");
}

TEST(Error, ThrowErrnoNamesWhatTheKernelSaid) {
  errno = ENOENT;
  try {
    throw_errno("cannot open '{}'", "/x");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot open '/x': No such file or directory");
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    return;
  }
  FAIL() << "nothing was thrown";
}

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("plain, Grüße, 東京, 🙂"), "plain, Grüße, 東京, 🙂");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, ReplacesControlCharactersByQuestionMarks) {
  EXPECT_EQ(printable("a\nb\r\tc\x1b[31m\x7f\0d"s), "a?b??c?[31m??d");
}

TEST(Printable, ReplacesWhatTurnsTheDirectionOfWriting) {
  // NOLINTNEXTLINE(misc-misleading-bidirectional): that is the point
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b\xE2\x81\xA6"
                      "c\xE2\x80\x8F"
                      "d\xE2\x80\xA8"
                      "e"),
            "a?b?c?d?e");
}

TEST(Printable, ReplacesEightBitControlsBareAndAsUtf8) {
  EXPECT_EQ(printable("a\x9b"
                      "31mb"),
            "a?31mb");
  EXPECT_EQ(printable("a\u009B31mb"), "a?31mb");
}

TEST(Printable, ReplacesEachByteOfMalformedUtf8) {
  EXPECT_EQ(printable("\xC0\x80"), "??") << "overlong NUL";
  EXPECT_EQ(printable("\xED\xA0\x80"), "???") << "surrogate";
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????") << "above U+10FFFF";
  EXPECT_EQ(printable("x\xE2\x82"), "x??") << "cut off";
  EXPECT_EQ(printable("\xFFz"), "?z");
}

TEST(Utf8, FindsTheFirstByteThatIsNotForPeople) {
  EXPECT_EQ(find_unprintable("all good: é"), std::string_view::npos);
  EXPECT_EQ(find_unprintable("ab\ncd"), 2U);
  EXPECT_EQ(find_unprintable("é\xFF"), 2U);
}

TEST(Nearest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("remoet", "remote"), 1U);
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  constexpr std::array<std::string_view, 3> kWords = {"servers", "search", "capture"};
  EXPECT_EQ(nearest_name("sevrers", kWords), "servers");
  EXPECT_EQ(nearest_name("serch", kWords), "search");
  EXPECT_EQ(nearest_name("completely", kWords), "");
  EXPECT_EQ(nearest_name("", kWords), "");
  EXPECT_EQ(nearest_name(std::string(100000, 's'), kWords), "");
}

TEST(Nearest, NeverReplacesEveryCharacterOfAShortWord) {
  constexpr std::array<std::string_view, 1> kWords = {"up"};
  EXPECT_EQ(nearest_name("xy", kWords), "");
  EXPECT_EQ(nearest_name("u", kWords), "");
}

}  // namespace
}  // namespace vpnrun
