// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/runtime_dir.h"

#include <acl/libacl.h>
#include <fcntl.h>
#include <sys/acl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "helper/base/open_at.h"
#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{10'000};
constexpr milliseconds kPause{20};
constexpr mode_t kRootMode = 0711;
constexpr mode_t kProfileMode = 0750;
constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kAnybodyConnects = 0666;

using AclPtr = std::unique_ptr<void, int (*)(void*)>;

std::string dot_file(const std::string& profile_name, const char* suffix) {
  return formatted("{}/.{}.{}", kRuntimeRoot, profile_name, suffix);
}

void make_runtime_root() {
  if (::mkdir(kRuntimeRoot, kRootMode) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", kRuntimeRoot);
  }
  const UniqueFd root(::open(kRuntimeRoot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root.ok() || ::fchown(root.get(), 0, 0) != 0 || ::fchmod(root.get(), kRootMode) != 0) {
    throw_errno("cannot set up '{}'", kRuntimeRoot);
  }
}

UniqueFd open_lock_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kPrivateFile));
  if (!fd.ok()) {
    throw_errno("cannot open '{}'", path);
  }
  return fd;
}

/// flock(2) with a time limit. The file may be removed while we wait for it; a lock on a removed
/// file excludes nobody, so it is then taken again on the new one.
UniqueFd lock_file(const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    make_runtime_root();
    UniqueFd fd = open_lock_file(path);
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        throw_errno("cannot lock '{}'", path);
      }
      if (std::chrono::steady_clock::now() > deadline) {
        throw_error(ETIMEDOUT, "cannot lock '{}'", path);
      }
      std::this_thread::sleep_for(kPause);
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) == 0 && status.st_nlink > 0) {
      return fd;
    }
  }
}

void add_acl_entry(acl_t& acl, acl_tag_t tag, const void* qualifier, bool write) {
  acl_entry_t entry = nullptr;
  acl_permset_t permissions = nullptr;
  if (::acl_create_entry(&acl, &entry) != 0 || ::acl_set_tag_type(entry, tag) != 0 ||
      (qualifier != nullptr && ::acl_set_qualifier(entry, qualifier) != 0) ||
      ::acl_get_permset(entry, &permissions) != 0 || ::acl_clear_perms(permissions) != 0) {
    throw_errno("cannot build an access control list");
  }
  if (tag != ACL_OTHER && (::acl_add_perm(permissions, ACL_READ) != 0 ||
                           ::acl_add_perm(permissions, ACL_EXECUTE) != 0 ||
                           (write && ::acl_add_perm(permissions, ACL_WRITE) != 0))) {
    throw_errno("cannot build an access control list");
  }
}

}  // namespace

std::string runtime_path(const std::string& profile_name) {
  return formatted("{}/{}", kRuntimeRoot, profile_name);
}

std::string runtime_path(const std::string& profile_name, const char* entry) {
  return formatted("{}/{}/{}", kRuntimeRoot, profile_name, entry);
}

ProfileLock::ProfileLock(const std::string& profile_name)
    : path_(dot_file(profile_name, "lock")), fd_(lock_file(path_)) {}

void ProfileLock::remove_file() noexcept {
  (void)::unlink(path_.c_str());
  const std::string host_lock = formatted("{}/.lock", kRuntimeRoot);
  const UniqueFd host(::open(host_lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  // Not while a process holds it: the next one would make another file, and lock that.
  if (host.ok() && ::flock(host.get(), LOCK_EX | LOCK_NB) == 0 &&
      ::fstat(host.get(), &status) == 0 && status.st_nlink > 0) {
    (void)::unlink(host_lock.c_str());
  }
  (void)::rmdir(kRuntimeRoot);  // stays if another profile is there
}

HostLock::HostLock() {
  static std::weak_ptr<const UniqueFd> held;  // by this process, which has one thread
  fd_ = held.lock();
  if (!fd_) {
    fd_ = std::make_shared<const UniqueFd>(lock_file(formatted("{}/.lock", kRuntimeRoot)));
    held = fd_;
  }
}

RunLock::RunLock(const std::string& profile_name) {
  const std::string path = dot_file(profile_name, "run");
  struct stat status {};
  do {  // `release` may remove the file before we have locked it
    make_runtime_root();
    fd_ = open_lock_file(path);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    if (::fcntl(fd_.get(), F_SETLK, &lock) != 0) {
      const auto pid = holder(profile_name);
      throw Error(formatted("the tunnel of '{}' is already run by process {}", profile_name,
                            pid.value_or(0)),
                  std::error_code(EBUSY, std::generic_category()),
                  formatted("vpnrunctl status {0}; or stop it: vpnrunctl down {0}", profile_name));
    }
    if (::fstat(fd_.get(), &status) != 0) {
      throw_errno("cannot examine '{}'", path);
    }
  } while (status.st_nlink == 0);
}

std::optional<pid_t> RunLock::holder(const std::string& profile_name) {
  const std::string path = dot_file(profile_name, "run");
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw_errno("cannot open '{}'", path);
  }
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (::fcntl(fd.get(), F_GETLK, &lock) != 0) {
    throw_errno("cannot examine '{}'", path);
  }
  return lock.l_type == F_UNLCK ? std::nullopt : std::optional<pid_t>(lock.l_pid);
}

void RunLock::remove_file(const std::string& profile_name) noexcept {
  (void)::unlink(dot_file(profile_name, "run").c_str());
}

UpLock::UpLock(int directory)
    : fd_(::openat(directory, kUpEntry, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644)) {
  if (!fd_.ok() || ::fchmod(fd_.get(), 0644) != 0) {  // whatever the umask
    throw_errno("cannot create '{}'", kUpEntry);
  }
}

bool UpLock::set(bool up) noexcept {
  struct flock lock {};
  lock.l_type = up ? F_WRLCK : F_UNLCK;
  return ::fcntl(fd_.get(), F_SETLK, &lock) == 0;
}

AliveMark::AliveMark(const std::string& profile_name)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const std::string path = runtime_path(profile_name, kAliveEntry);
  const std::string fresh = path + ".new";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!socket_.ok() || fresh.size() >= sizeof(address.sun_path)) {
    throw_errno("cannot make '{}'", path);
  }
  std::copy(fresh.begin(), fresh.end(), address.sun_path);
  (void)::unlink(fresh.c_str());
  // Nobody reads from this socket: what is sent to it, even descriptors, must not be kept for us.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::shutdown(socket_.get(), SHUT_RD) != 0 || ::chmod(fresh.c_str(), kAnybodyConnects) != 0 ||
      ::rename(fresh.c_str(), path.c_str()) != 0) {
    throw_errno("cannot make '{}'", path);
  }
}

void admit(int dir_fd, const std::string& profile_name, const Admitted& admitted) {
  const auto& [users, groups, warnings] = admitted;
  acl_t acl = ::acl_init(static_cast<int>(4 + users.size() + groups.size()));
  const AclPtr owner(acl, ::acl_free);
  if (acl == nullptr) {
    throw_errno("cannot build an access control list");
  }
  add_acl_entry(acl, ACL_USER_OBJ, nullptr, true);
  add_acl_entry(acl, ACL_GROUP_OBJ, nullptr, false);
  add_acl_entry(acl, ACL_OTHER, nullptr, false);
  for (const id_t uid : users) {
    add_acl_entry(acl, ACL_USER, &uid, false);
  }
  for (const id_t gid : groups) {
    add_acl_entry(acl, ACL_GROUP, &gid, false);
  }
  if (!users.empty() || !groups.empty()) {
    add_acl_entry(acl, ACL_MASK, nullptr, false);
  }
  if (::acl_set_fd(dir_fd, acl) != 0) {
    throw_errno("cannot set the access control list of '{}' ({} users, {} groups)",
                runtime_path(profile_name), users.size(), groups.size());
  }
}

UniqueFd make_profile_directory(const std::string& profile_name, const profile::Access& access) {
  const std::string path = runtime_path(profile_name);
  // Closed to everybody until the ACL is set.
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", path);
  }
  UniqueFd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.ok() || ::fchown(dir.get(), 0, 0) != 0 || ::fchmod(dir.get(), kProfileMode) != 0) {
    throw_errno("cannot set up '{}'", path);
  }
  const Admitted admitted = whom_it_admits(access, profile_name, find_account);
  for (const Error& warning : admitted.warnings) {
    log::ignored(warning);
  }
  admit(dir.get(), profile_name, admitted);
  return dir;
}

UniqueFd open_profile_directory(const std::string& profile_name) {
  const std::string path = runtime_path(profile_name);
  UniqueFd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.ok() && errno != ENOENT) {
    throw_errno("cannot open '{}'", path);
  }
  return dir;
}

void remove_profile_directory(const std::string& profile_name) {
  std::error_code error;
  std::filesystem::remove_all(runtime_path(profile_name), error);
  if (error) {
    throw_error(error.value(), "cannot remove '{}'", runtime_path(profile_name));
  }
}

}  // namespace vpnrun::service
