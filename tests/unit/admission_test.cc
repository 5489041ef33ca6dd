// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/admission.h"

#include <sys/acl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  /// The folder belongs to whoever runs the test, and so does its group.
  void set(const std::string& text) {
    const std::unique_ptr<void, int (*)(void*)> acl(::acl_from_text(text.c_str()), ::acl_free);
    ASSERT_TRUE(acl);
    ASSERT_EQ(
        ::acl_set_file((folder_ / ".").c_str(), ACL_TYPE_ACCESS, static_cast<acl_t>(acl.get())), 0);
  }
  [[nodiscard]] bool admits(uid_t uid, std::vector<gid_t> groups = {9999}) const {
    return is_admitted((folder_ / ".").string(), {uid, std::move(groups)});
  }
  test::ScratchFolder folder_;
};

TEST_F(AdmissionTest, AdmitsWhoIsNamedAndRootAndNobodyElse) {
  set("u::rwx,u:4001:r-x,g::r-x,g:4002:r-x,m::r-x,o::---");
  EXPECT_TRUE(admits(4001));
  EXPECT_TRUE(admits(4003, {9999, 4002}));
  EXPECT_TRUE(admits(0));
  EXPECT_FALSE(admits(4003));
  EXPECT_FALSE(admits(4002)) << "a group's number is not a user's";
  EXPECT_FALSE(admits(4003, {4001})) << "nor a user's a group's";
}

TEST_F(AdmissionTest, AsksAnewEachTime) {
  set("u::rwx,u:4001:r-x,g::r-x,m::r-x,o::---");
  EXPECT_TRUE(admits(4001));
  set("u::rwx,u:4004:r-x,g::r-x,m::r-x,o::---");
  EXPECT_FALSE(admits(4001));
  EXPECT_TRUE(admits(4004));
}

TEST_F(AdmissionTest, DecidesAsTheKernelDoes) {
  set("u::rwx,u:4001:r--,g::---,g:4002:r-x,m::rwx,o::--x");
  EXPECT_FALSE(admits(4001, {4002})) << "a user who is named has what his entry says";
  EXPECT_TRUE(admits(4005, {4002}));
  EXPECT_TRUE(admits(4005)) << "others";
  set("u::rwx,u:4001:r-x,g::---,g:4002:r--,m::r-x,o::--x");
  EXPECT_FALSE(admits(4005, {4002})) << "a member of a named group is not one of the others";
  set("u::rwx,u:4001:r-x,g::r-x,g:4002:r-x,m::r--,o::---");
  EXPECT_FALSE(admits(4001)) << "the mask";
  EXPECT_FALSE(admits(4005, {4002})) << "the mask";
}

TEST_F(AdmissionTest, AdmitsNobodyButRootToWhatIsNotThere) {
  EXPECT_FALSE(is_admitted((folder_ / "absent").string(), {4001, {9999}}));
  EXPECT_TRUE(is_admitted((folder_ / "absent").string(), {0, {}}));
}

TEST_F(AdmissionTest, FollowsNoLink) {
  set("u::rwx,g::r-x,o::r-x");
  ASSERT_EQ(::symlink((folder_ / ".").c_str(), (folder_ / "link").c_str()), 0);
  EXPECT_TRUE(admits(4001));
  EXPECT_FALSE(is_admitted((folder_ / "link").string(), {4001, {9999}}));
}

}  // namespace
}  // namespace vpnrun::service
