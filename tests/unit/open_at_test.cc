// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/open_at.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace vpnrun {
namespace {

UniqueFd open_own_namespaces() {
  return UniqueFd(::open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

TEST(OpenDirectoryAt, OpensADirectoryCloseOnExec) {
  const test::ScratchFolder folder;
  std::filesystem::create_directory(folder / "inner");
  const UniqueFd fd = open_directory_at(folder.fd(), "inner");
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(OpenDirectoryAt, NeedsPermissionToReadNotOnlyToPass) {
  // An O_PATH descriptor could be had of a directory that the caller may not open.
  const test::ScratchFolder folder;
  std::filesystem::create_directory(folder / "inner");
  const UniqueFd fd = open_directory_at(folder.fd(), "inner");
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_PATH, 0);
}

TEST(OpenDirectoryAt, DoesNotFollowASymbolicLink) {
  const test::ScratchFolder folder;
  std::filesystem::create_directory(folder / "inner");
  std::filesystem::create_symlink("inner", folder / "link");
  EXPECT_FALSE(open_directory_at(folder.fd(), "link").ok());
  EXPECT_EQ(errno, ELOOP);
}

TEST(OpenDirectoryAt, DoesNotLeaveTheDirectory) {
  const test::ScratchFolder folder;
  for (const char* name : {"..", "/", "/tmp", "../"}) {
    EXPECT_FALSE(open_directory_at(folder.fd(), name).ok()) << name;
    EXPECT_EQ(errno, EXDEV) << name;
  }
}

TEST(OpenDirectoryAt, SaysWhatIsMissingOrNoDirectory) {
  const test::ScratchFolder folder;
  folder.write("file", "x");
  EXPECT_FALSE(open_directory_at(folder.fd(), "absent").ok());
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(open_directory_at(folder.fd(), "file").ok());
  EXPECT_EQ(errno, ENOTDIR);
}

TEST(OpenNamespaceAt, RefusesAnOrdinaryFile) {
  const test::ScratchFolder folder;
  folder.write("netns", "");
  EXPECT_FALSE(open_namespace_at(folder.fd(), "netns", CLONE_NEWNET).ok());
  EXPECT_EQ(errno, EINVAL);
}

TEST(OpenNamespaceAt, DoesNotHangOnAPipe) {
  const test::ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "netns").c_str(), 0600), 0);
  EXPECT_FALSE(open_namespace_at(folder.fd(), "netns", CLONE_NEWNET).ok());
  EXPECT_EQ(errno, EINVAL);
}

TEST(OpenNamespaceAt, FollowsNoLinkOfProcfsEither) {
  // /proc/PID/ns/* are magic links: a directory of root's has bind mounts in their place.
  const UniqueFd namespaces = open_own_namespaces();
  EXPECT_FALSE(open_namespace_at(namespaces.get(), "net", CLONE_NEWNET).ok());
  EXPECT_EQ(errno, ELOOP);
}

TEST(FileId, TellsNamespacesApartAndKnowsThemAgain) {
  const UniqueFd net(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const UniqueFd same(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const UniqueFd other(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
  FileId net_id;
  FileId same_id;
  FileId other_id;
  ASSERT_TRUE(file_id(net.get(), net_id));
  ASSERT_TRUE(file_id(same.get(), same_id));
  ASSERT_TRUE(file_id(other.get(), other_id));
  EXPECT_EQ(net_id, same_id);
  EXPECT_NE(net_id, other_id);
}

TEST(FileId, FailsWithErrnoOnAClosedDescriptor) {
  FileId id;
  EXPECT_FALSE(file_id(-1, id));
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace vpnrun
