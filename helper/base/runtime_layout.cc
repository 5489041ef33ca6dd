// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/runtime_layout.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

#include "helper/base/open_at.h"
#include "helper/base/unique_fd.h"

namespace vpnrun {
namespace {

static_assert(std::is_trivially_copyable_v<Origin> &&
                  std::has_unique_object_representations_v<Origin>,
              "the record is written and compared as bytes");

bool is_on(int fd, decltype(std::declval<struct statfs>().f_type) magic) noexcept {
  struct statfs volume {};
  return ::fstatfs(fd, &volume) == 0 && volume.f_type == magic;
}

// /proc/self/ns, with nothing mounted over any part of it.
UniqueFd open_own_namespaces() noexcept {
  const UniqueFd proc(::open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!proc.ok()) {
    return {};
  }
  if (!is_on(proc.get(), PROC_SUPER_MAGIC)) {
    errno = ENOTTY;
    return {};
  }
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;  // O_PATH: an undumpable process may not list it
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, proc.get(), "self/ns", &how, sizeof how)));
}

// No look at the kind of file system: st_dev is that of nsfs for namespaces and for nothing else,
// so that another file is equal to no recorded namespace.
bool namespace_id(int namespaces_fd, const char* name, FileId& out) noexcept {
  struct stat status {};
  if (::fstatat(namespaces_fd, name, &status, 0) != 0) {
    return false;
  }
  out = {status.st_dev, status.st_ino};
  return true;
}

bool root_id(Standpoint& out) noexcept {
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statx status {};
  if (!root.ok() || !file_id(root.get(), out.root) ||
      ::statx(root.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
    return false;
  }
  if ((status.stx_mask & STATX_MNT_ID) == 0) {
    errno = ENOSYS;
    return false;
  }
  out.root_mount = status.stx_mnt_id;
  return true;
}

}  // namespace

bool current_standpoint(Standpoint& out) noexcept {
  const UniqueFd namespaces = open_own_namespaces();
  return namespaces.ok() && namespace_id(namespaces.get(), "mnt", out.mount_namespace) &&
         namespace_id(namespaces.get(), "pid", out.pid_namespace) &&
         namespace_id(namespaces.get(), "user", out.user_namespace) &&
         namespace_id(namespaces.get(), "net", out.network_namespace) && root_id(out);
}

bool read_origin(int dir_fd, Origin& out) noexcept {
  const UniqueFd fd(::openat(dir_fd, kOriginEntry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd.ok() || ::fstat(fd.get(), &status) != 0) {
    return false;
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != 0 ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    errno = EPERM;
    return false;
  }
  Origin record;
  if (status.st_size != sizeof record ||
      ::read(fd.get(), &record, sizeof record) != sizeof record || record.magic != Origin::kMagic ||
      record.no_new_privs > 1 || record.from_namespaces > 1 || record.i386 > 1) {
    errno = EINVAL;
    return false;
  }
  out = record;
  return true;
}

}  // namespace vpnrun
