// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun::profile {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kText = "[tunnel]\ntype = \"none\"\n";
constexpr uid_t kStranger = 65534;

class ProfileStore : public ::testing::Test {
 protected:
  void SetUp() override {
    struct stat root {};
    ASSERT_EQ(::stat("/", &root), 0);
    if (root.st_uid != 0 && root.st_uid != ::geteuid()) {
      GTEST_SKIP() << "the root directory belongs to nobody here; run outside a user namespace";
    }
    std::string name = (fs::temp_directory_path() / "vpnrun-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  }
  void TearDown() override {
    if (!folder_.empty()) {
      fs::remove_all(folder_);
    }
  }

  [[nodiscard]] std::string write(const std::string& name, const std::string& text = kText,
                                  mode_t mode = 0644) const {
    const fs::path path = folder_ / name;
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }

  fs::path folder_;
};

Error error_of(const std::string& path, Trust trust = Trust::kRootOwned,
               std::size_t max_bytes = 1U << 20U) {
  try {
    (void)read_trusted_file(path, trust, max_bytes);
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

TEST_F(ProfileStore, ReadsAFileThatOnlyItsOwnerCanWrite) {
  EXPECT_EQ(read_trusted_file(write("a.toml"), Trust::kRootOwned), kText);
  EXPECT_EQ(read_trusted_file(write("b.toml", kText, 0600), Trust::kSecret), kText);
}

TEST_F(ProfileStore, ReadsEmptyAndLargeFilesWhole) {
  EXPECT_EQ(read_trusted_file(write("empty", ""), Trust::kRootOwned), "");
  const std::string large(100001, 'x');
  EXPECT_EQ(read_trusted_file(write("large", large), Trust::kRootOwned), large);
}

TEST_F(ProfileStore, RefusesMoreThanTheLimitAndReadsExactlyIt) {
  const std::string path = write("a", "12345");
  EXPECT_EQ(read_trusted_file(path, Trust::kRootOwned, 5), "12345");
  const Error error = error_of(path, Trust::kRootOwned, 4);
  EXPECT_EQ(error.code(), std::errc::file_too_large);
  EXPECT_THAT(error.what(), HasSubstr("more than 4 bytes"));
}

TEST_F(ProfileStore, ReportsAMissingFile) {
  EXPECT_EQ(error_of((folder_ / "none").string()).code(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(error_of((folder_ / "none" / "none").string()).code(),
            std::errc::no_such_file_or_directory);
}

TEST_F(ProfileStore, RefusesASymbolicLink) {
  (void)write("real");
  fs::create_symlink("real", folder_ / "link");
  const Error error = error_of((folder_ / "link").string());
  EXPECT_EQ(error.code(), std::errc::too_many_symbolic_link_levels);
  EXPECT_THAT(error.what(), HasSubstr("it is a symbolic link"));
}

TEST_F(ProfileStore, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const std::string fifo = (folder_ / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of(fifo).code(), std::errc::invalid_argument);
  fs::create_directory(folder_ / "dir");
  EXPECT_EQ(error_of((folder_ / "dir").string()).code(), std::errc::invalid_argument);
  EXPECT_EQ(error_of("/dev/null").code(), std::errc::invalid_argument);
}

TEST(Cure, IsForFilesOfOurOwnOnly) {
  for (const char* path : {VPNRUN_SYSCONFDIR "/vpnrun", VPNRUN_SYSCONFDIR "/vpnrun/profiles/a.auth",
                           "/run/vpnrun/office/state.json"}) {
    EXPECT_EQ(cure("chmod 0600", path), formatted("chmod 0600 '{}'", path));
  }
  for (const char* path :
       {"/etc/shadow", "/etc", "/", "/home/alice", "/usr/local/bin/hook", "/dev/net/tun",
        VPNRUN_SYSCONFDIR "/vpnrun/../shadow", VPNRUN_SYSCONFDIR "/vpnrun/..",
        VPNRUN_SYSCONFDIR "/vpnrunner", "vpnrun", "", "/run/vpnrun/../systemd"}) {
    EXPECT_THAT(cure("chmod 0600", path), Not(HasSubstr("ch"))) << path;
  }
}

TEST_F(ProfileStore, AsksBeforeItReads) {
  const std::string path = write("a");
  EXPECT_EQ(read_trusted_file(path, Trust::kRootOwned, 100,
                              [](const struct stat& status) { EXPECT_EQ(status.st_nlink, 1U); }),
            kText);
  EXPECT_THROW((void)read_trusted_file(path, Trust::kRootOwned, 100,
                                       [](const struct stat&) { throw Error("no"); }),
               Error);
}

TEST_F(ProfileStore, RefusesAFileThatOthersCanWriteAndNamesTheCure) {
  for (const mode_t mode : {mode_t{0664}, mode_t{0646}}) {
    const std::string path = write("a", kText, mode);
    const Error error = error_of(path);
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("write to the file"), HasSubstr(formatted("mode {:04o}", mode))));
    EXPECT_EQ(error.hint(), cure("chmod go-w", path));
  }
}

TEST_F(ProfileStore, RefusesAFolderThatOthersCanWriteEvenIfSticky) {
  const std::string path = write("a");
  for (const mode_t mode : {mode_t{0775}, mode_t{0757}, mode_t{01777}}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    const Error error = error_of(path);
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
    EXPECT_THAT(error.what(), HasSubstr("write to the folder"));
    EXPECT_EQ(error.hint(), cure("chmod go-w", folder_.string()));
  }
}

TEST_F(ProfileStore, RefusesAFolderOnTheWayThatOthersCanWriteUnlessSticky) {
  fs::create_directories(folder_ / "above" / "below");
  const std::string path = write("above/below/a");
  EXPECT_EQ(read_trusted_file(path, Trust::kRootOwned), kText);
  const std::string above = (folder_ / "above").string();
  for (const mode_t mode : {mode_t{0775}, mode_t{0757}}) {
    ASSERT_EQ(::chmod(above.c_str(), mode), 0);
    const Error error = error_of(path);
    EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
    EXPECT_THAT(error.what(), HasSubstr("cannot use '" + above + "': users other than its owner"));
    EXPECT_EQ(error.hint(), cure("chmod go-w", above));
  }
  ASSERT_EQ(::chmod(above.c_str(), 01777), 0);
  EXPECT_EQ(read_trusted_file(path, Trust::kRootOwned), kText);
}

TEST_F(ProfileStore, RefusesALinkOnTheWay) {
  fs::create_directories(folder_ / "real" / "below");
  (void)write("real/below/a");
  fs::create_symlink("real", folder_ / "link");
  const Error error = error_of((folder_ / "link" / "below" / "a").string());
  EXPECT_EQ(error.code(), std::errc::too_many_symbolic_link_levels);
  EXPECT_THAT(error.what(),
              HasSubstr("cannot use '" + (folder_ / "link").string() + "': it is a symbolic link"));
  EXPECT_EQ(read_trusted_file((folder_ / "real" / ".." / "real" / "below" / "a").string(),
                              Trust::kRootOwned),
            kText);
  EXPECT_EQ(read_trusted_file((folder_ / "link" / "below" / "a").string(), Trust::kAnyOwner),
            kText);
}

Error hook_error(const std::string& line) {
  try {
    check_hook(line);
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

TEST_F(ProfileStore, RefusesAHookWhoseProgramOthersCanWrite) {
  const std::string path = write("hook", "#!/bin/sh\n", 0755);
  fs::create_symlink("hook", folder_ / "link");
  for (const std::string& line :
       {path, path + " up", path + ";true", (folder_ / "link").string()}) {
    EXPECT_STREQ(hook_error(line).what(), "no error") << line;
  }
  ASSERT_EQ(::chmod(path.c_str(), 0757), 0);
  for (const std::string& line :
       {path, path + " up", path + ";true", path + ">/dev/null", (folder_ / "link").string()}) {
    EXPECT_THAT(hook_error(line).what(), HasSubstr("can write to the hook's program")) << line;
  }
}

TEST_F(ProfileStore, LeavesToTheShellWhatIsNoProgramsPath) {
  const std::string path = write("hook", "#!/bin/sh\n", 0757);
  for (const std::string& line : {"logger " + path, "'" + path + "'", path + "$suffix",
                                  path + ".missing", std::string("true")}) {
    EXPECT_STREQ(hook_error(line).what(), "no error") << line;
  }
}

TEST_F(ProfileStore, RefusesASecretThatOthersCanRead) {
  const std::string path = write("a.auth", "user\nsecret\n", 0640);
  const Error error = error_of(path, Trust::kSecret);
  EXPECT_EQ(error.code(), std::errc::operation_not_permitted);
  EXPECT_EQ(error.hint(), cure("chmod 0600", path));
  EXPECT_EQ(read_trusted_file(path, Trust::kRootOwned), "user\nsecret\n");
}

TEST_F(ProfileStore, RefusesAStrangersFileAndFolder) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away; run: sudo profile_test";
  }
  const std::string path = write("a");
  ASSERT_EQ(::chown(path.c_str(), kStranger, 0), 0);
  EXPECT_THAT(error_of(path).what(), HasSubstr("the file belongs to uid 65534, not to root"));
  ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(folder_.c_str(), kStranger, 0), 0);
  EXPECT_THAT(error_of(path).what(), HasSubstr("the folder belongs to uid 65534, not to root"));
}

TEST_F(ProfileStore, ShowsAnybodysFileToAnybody) {
  const std::string path = write("a", kText, 0666);
  ASSERT_EQ(::chmod(folder_.c_str(), 01777), 0);
  EXPECT_EQ(read_trusted_file(path, Trust::kAnyOwner), kText);
}

TEST_F(ProfileStore, LeavesNoDescriptorBehind) {
  const auto count = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const std::string good = write("good");
  const std::string bad = write("bad", kText, 0666);
  const auto before = count();
  (void)read_trusted_file(good, Trust::kRootOwned);
  (void)error_of(bad);
  (void)error_of(good, Trust::kRootOwned, 1);
  EXPECT_EQ(count(), before);
}

TEST_F(ProfileStore, LoadsAProfileByItsName) {
  (void)write("work.toml");
  const Profile profile = load_profile(folder_.string(), "work", Trust::kRootOwned);
  EXPECT_EQ(profile.name, "work");
  EXPECT_EQ(profile.path, (folder_ / "work.toml").string());
}

TEST_F(ProfileStore, NamesTheFileInAnErrorOfItsText) {
  const std::string path = write("work.toml", "colour = 1\n");
  try {
    (void)load_profile(folder_.string(), "work", Trust::kRootOwned);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path + ":1:1: unknown key 'colour'"));
  }
}

Error load_error(const fs::path& folder, const std::string& name) {
  try {
    (void)load_profile(folder.string(), name, Trust::kRootOwned);
  } catch (const Error& error) {
    return error;
  }
  return Error("no error");
}

TEST_F(ProfileStore, NamesTheNearestProfileForAMissingOne) {
  EXPECT_THAT(load_error(folder_, "work").hint(), HasSubstr("there is no profile"));
  (void)write("work.toml");
  (void)write("home.toml");
  const Error error = load_error(folder_, "wrok");
  EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  EXPECT_THAT(error.what(), HasSubstr("cannot find profile 'wrok'"));
  EXPECT_EQ(error.hint(), "did you mean 'work'?");
  EXPECT_EQ(load_error(folder_, "provider").hint(), "the profiles are: home, work");
}

TEST_F(ProfileStore, NeverMakesAPathOfAnInvalidName) {
  for (const char* name : {"../work", "", "a/b", "A", ".hidden", "x\n"}) {
    const Error error = load_error(folder_, name);
    EXPECT_EQ(error.code(), std::errc::invalid_argument) << name;
    EXPECT_THAT(error.what(), HasSubstr("cannot use profile name"));
  }
}

TEST_F(ProfileStore, ListsProfilesSortedAndNothingElse) {
  for (const char* name : {"zeta.toml", "alpha.toml", "Upper.toml", "notes.txt", ".toml",
                           "a b.toml", "work.toml.bak"}) {
    (void)write(name);
  }
  fs::create_directory(folder_ / "folder.toml");
  fs::create_symlink("alpha.toml", folder_ / "link.toml");
  EXPECT_THAT(list_profiles(folder_.string()), ElementsAre("alpha", "zeta"));
}

TEST_F(ProfileStore, ListsNothingIfThereIsNoFolder) {
  EXPECT_THAT(list_profiles((folder_ / "none").string()), IsEmpty());
}

TEST(ProfileFolder, IsBelowTheConfiguredFolder) {
  EXPECT_EQ(default_profile_folder(), VPNRUN_SYSCONFDIR "/vpnrun/profiles");
}

}  // namespace
}  // namespace vpnrun::profile
