// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/unique_fd.h"

#include <fcntl.h>

#include <cerrno>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace vpnrun {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_convertible_v<UniqueFd, int> &&
              !std::is_convertible_v<int, UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);

TEST(UniqueFd, OwnsNothingByDefault) {
  EXPECT_FALSE(UniqueFd().ok());
}

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
  const int fd = open_null();
  {
    const UniqueFd owner(fd);
    EXPECT_TRUE(owner.ok());
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, MovesOwnershipAndLeavesTheSourceEmpty) {
  const int fd = open_null();
  UniqueFd first(fd);
  const UniqueFd second(std::move(first));
  EXPECT_FALSE(
      first.ok());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): promised
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, MoveAssignmentClosesWhatItHeld) {
  UniqueFd first(open_null());
  UniqueFd second(open_null());
  const int old_fd = first.get();
  const int new_fd = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(old_fd));
  EXPECT_EQ(first.get(), new_fd);
}

TEST(UniqueFd, SurvivesAssignmentToItself) {
  UniqueFd owner(open_null());
  UniqueFd& same = owner;
  owner = std::move(same);
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(UniqueFd, KeepsErrnoWhenItCloses) {
  UniqueFd owner(open_null());
  ::close(owner.get());  // so that its own close fails
  errno = ENOTTY;
  owner.reset();
  EXPECT_EQ(errno, ENOTTY);
}

TEST(UniqueFd, ReleaseGivesTheDescriptorAway) {
  UniqueFd owner(open_null());
  const int fd = owner.release();
  EXPECT_FALSE(owner.ok());
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(UniqueFd, DuplicatesCloseOnExecAboveTheStandardThree) {
  const UniqueFd owner(open_null());
  const UniqueFd copy = owner.dup_cloexec();
  EXPECT_GE(copy.get(), 3);
  EXPECT_NE(copy.get(), owner.get());
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
}

TEST(UniqueFd, DuplicateOfNothingFailsWithErrno) {
  EXPECT_FALSE(UniqueFd().dup_cloexec().ok());
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace vpnrun
