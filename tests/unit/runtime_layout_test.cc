// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/runtime_layout.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace vpnrun {
namespace {

// The exit code of `body` in a child process.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = -1;
  (void)::waitpid(child, &status, 0);  // a wrong pid leaves -1, which no test expects
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CurrentStandpoint, IsTheSameTwice) {
  Standpoint first;
  Standpoint second;
  ASSERT_TRUE(current_standpoint(first));
  ASSERT_TRUE(current_standpoint(second));
  EXPECT_EQ(first, second);
}

TEST(CurrentStandpoint, NamesWhatStatNames) {
  Standpoint here;
  ASSERT_TRUE(current_standpoint(here));
  struct stat status {};
  ASSERT_EQ(::stat("/proc/self/ns/mnt", &status), 0);
  EXPECT_EQ(here.mount_namespace, (FileId{status.st_dev, status.st_ino}));
  ASSERT_EQ(::stat("/", &status), 0);
  EXPECT_EQ(here.root, (FileId{status.st_dev, status.st_ino}));
  EXPECT_NE(here.root_mount, 0U);
}

constexpr int kSkipped = 77;

TEST(CurrentStandpoint, ChangesWithTheNetworkNamespaceAlone) {
  Standpoint outside;
  ASSERT_TRUE(current_standpoint(outside));
  const int result = in_child([&] {
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      return kSkipped;
    }
    Standpoint inside;
    const bool read = current_standpoint(inside);
    return read && inside.network_namespace != outside.network_namespace &&
                   inside.mount_namespace == outside.mount_namespace &&
                   inside.root_mount == outside.root_mount
               ? 0
               : 1;
  });
  if (result == kSkipped) {
    GTEST_SKIP() << "no network namespaces here; run as root";
  }
  EXPECT_EQ(result, 0);
}

TEST(CurrentStandpoint, ChangesWithUserAndMountNamespace) {
  Standpoint outside;
  ASSERT_TRUE(current_standpoint(outside));
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return kSkipped;
    }
    Standpoint inside;
    const bool read = current_standpoint(inside);
    return read && inside.user_namespace != outside.user_namespace &&
                   inside.mount_namespace != outside.mount_namespace &&
                   inside.pid_namespace == outside.pid_namespace && inside.root == outside.root &&
                   inside.root_mount != outside.root_mount
               ? 0
               : 1;
  });
  if (result == kSkipped) {
    GTEST_SKIP() << "no user namespaces here; try: sysctl kernel.unprivileged_userns_clone=1";
  }
  EXPECT_EQ(result, 0);
}

TEST(CurrentStandpoint, FailsInAChrootWithoutProcfs) {
  const test::ScratchFolder folder;
  std::filesystem::create_directories(folder / "proc/self/ns");
  const int result = in_child([&] {
    if ((::geteuid() != 0 && ::unshare(CLONE_NEWUSER) != 0) ||
        ::chroot((folder / "").c_str()) != 0) {
      return kSkipped;
    }
    Standpoint inside;
    return !current_standpoint(inside) && errno == ENOTTY ? 0 : 1;
  });
  if (result == kSkipped) {
    GTEST_SKIP() << "chroot is not allowed here; run as root";
  }
  EXPECT_EQ(result, 0);
}

// Files that read_origin() trusts belong to root.
class OriginRecord : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "needs a file that belongs to root; try: unshare -r ctest -L unit";
    }
    written_.host = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, 11};
    written_.netns = {12, 13};
    written_.view = {14, 15};
    write(bytes());
  }
  [[nodiscard]] std::string bytes() const {
    return {reinterpret_cast<const char*>(&written_), sizeof written_};
  }
  void write(const std::string& content) {
    std::filesystem::remove(path());
    folder_.write(kOriginEntry, content);
    ASSERT_EQ(::chmod(path().c_str(), 0444), 0);
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / kOriginEntry; }
  void expect_failure(int error) {
    Origin unchanged;
    EXPECT_FALSE(read_origin(folder_.fd(), unchanged));
    EXPECT_EQ(errno, error);
    EXPECT_EQ(unchanged.netns, FileId{});
  }

  test::ScratchFolder folder_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
  Origin written_;              // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

TEST_F(OriginRecord, ReadsBackWhatWasWritten) {
  Origin origin;
  ASSERT_TRUE(read_origin(folder_.fd(), origin));
  EXPECT_EQ(origin.host, written_.host);
  EXPECT_EQ(origin.netns, written_.netns);
  EXPECT_EQ(origin.view, written_.view);
  EXPECT_EQ(origin.no_new_privs, 0U);
  EXPECT_EQ(origin.from_namespaces, 0U);
  written_.no_new_privs = 1;
  write(bytes());
  ASSERT_TRUE(read_origin(folder_.fd(), origin));
  EXPECT_EQ(origin.no_new_privs, 1U);
  EXPECT_EQ(origin.from_namespaces, 0U);
  written_.from_namespaces = 1;
  write(bytes());
  ASSERT_TRUE(read_origin(folder_.fd(), origin));
  EXPECT_EQ(origin.from_namespaces, 1U);
  EXPECT_EQ(origin.i386, 0U);
  written_.i386 = 1;
  write(bytes());
  ASSERT_TRUE(read_origin(folder_.fd(), origin));
  EXPECT_EQ(origin.i386, 1U);
}

// A flag that is not understood must not pass for "no".
TEST_F(OriginRecord, RejectsAFlagThatIsNeitherYesNorNo) {
  for (const std::uint64_t flag :
       {std::uint64_t{2}, std::uint64_t{0x100}, std::uint64_t{1} << 63U}) {
    written_.no_new_privs = flag;
    write(bytes());
    expect_failure(EINVAL);
    written_.no_new_privs = 0;
    written_.from_namespaces = flag;
    write(bytes());
    expect_failure(EINVAL);
    written_.from_namespaces = 0;
    written_.i386 = flag;
    write(bytes());
    expect_failure(EINVAL);
    written_.i386 = 0;
  }
}

TEST_F(OriginRecord, RejectsAnotherSize) {
  write(bytes() + "x");
  expect_failure(EINVAL);
  write(bytes().substr(1));
  expect_failure(EINVAL);
  write("");
  expect_failure(EINVAL);
}

TEST_F(OriginRecord, RejectsAnotherVersion) {
  written_.magic ^= 1;
  write(bytes());
  expect_failure(EINVAL);
}

TEST_F(OriginRecord, RejectsAFileThatOthersMayWrite) {
  for (const mode_t mode : {0464U, 0446U, 0666U}) {
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    expect_failure(EPERM);
  }
}

TEST_F(OriginRecord, RejectsAFileOfSomebodyElse) {
  if (::chown(path().c_str(), 1, 0) != 0) {
    GTEST_SKIP() << "no second user here; run as real root";
  }
  expect_failure(EPERM);
}

TEST_F(OriginRecord, RejectsWhatIsNoFile) {
  std::filesystem::remove(path());
  expect_failure(ENOENT);
  std::filesystem::create_directory(path());
  expect_failure(EPERM);
  std::filesystem::remove(path());
  std::filesystem::create_symlink("elsewhere", path());
  expect_failure(ELOOP);
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0444), 0);
  expect_failure(EPERM);
}

}  // namespace
}  // namespace vpnrun
