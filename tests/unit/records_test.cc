// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/records.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "profiles/base/error.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::filter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecordsTest : public testing::Test {
 protected:
  test::ScratchFolder folder_;
  Records records_{folder_ / "records"};
};

TEST_F(RecordsTest, EachNameHasItsOwnAndTheLastTakesTheFolderAlong) {
  EXPECT_THAT(records_.read("one"), IsEmpty()) << "without a folder";
  EXPECT_THAT(records_.others("one"), IsEmpty());
  records_.write("one", {"b", "a"});
  records_.write("two", {"c"});
  records_.write(".guard", {"d"});
  EXPECT_THAT(records_.read("one"), ElementsAre("a", "b"));
  EXPECT_EQ(std::filesystem::status(folder_ / "records").permissions(),
            std::filesystem::perms::owner_all);
  EXPECT_THAT(records_.others("one"), ElementsAre("c")) << "what begins with a dot is no profile's";
  records_.write("one", {"e"});
  EXPECT_THAT(records_.read("one"), ElementsAre("e"));
  records_.erase("one");
  records_.erase("one");
  records_.erase(".guard");
  EXPECT_FALSE(records_.has("one"));
  EXPECT_TRUE(records_.has("two"));
  records_.erase("two");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "records"));
}

// RLIMIT_FSIZE of setrlimit(2): a write fails as on a full disk, with another reason.
TEST_F(RecordsTest, WhatCannotBeWrittenStaysAsItWasAndSaysWhy) {
  records_.write("one", {"a"});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  std::string said = "nothing";
  try {
    records_.write("one", {"b"});
  } catch (const Error& error) {
    said = error.what();
  }
  records_.note("one", {"b"});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)std::signal(SIGXFSZ, handler);
  EXPECT_THAT(said, HasSubstr("/records/one': File too large"));
  EXPECT_THAT(records_.read("one"), ElementsAre("a"));
}

TEST_F(RecordsTest, WhatCannotBeReadIsNoEmptyRecord) {
  folder_.write("records", "a file where the folder should be");
  EXPECT_THROW((void)records_.read("one"), Error);
  EXPECT_THROW((void)records_.others("one"), Error);
}

}  // namespace
}  // namespace vpnrun::filter
