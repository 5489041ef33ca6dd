// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/base/open_at.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace vpnrun {
namespace {

// RESOLVE_NO_SYMLINKS refuses a link as ELOOP in every component. (O_NOFOLLOW would look at the
// last only, and turn that error into another one for a directory.)
UniqueFd open_beneath(int dir_fd, const char* name, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<decltype(how.flags)>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, dir_fd, name, &how, sizeof how)));
}

}  // namespace

UniqueFd open_directory_at(int dir_fd, const char* name) noexcept {
  return open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);
}

UniqueFd open_namespace_at(int dir_fd, const char* name, int ns_type) noexcept {
  // O_NONBLOCK: a FIFO put there by mistake must not hang us.
  UniqueFd fd = open_beneath(dir_fd, name, O_RDONLY | O_NONBLOCK);
  if (!fd.ok()) {
    return fd;
  }
  struct statfs volume {};
  if (::fstatfs(fd.get(), &volume) != 0) {
    return {};
  }
  // The file system first: another one would take the ioctl number for something of its own.
  if (volume.f_type != NSFS_MAGIC || ::ioctl(fd.get(), NS_GET_NSTYPE) != ns_type) {
    errno = EINVAL;
    return {};
  }
  return fd;
}

bool file_id(int fd, FileId& out) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return false;
  }
  out = {status.st_dev, status.st_ino};
  return true;
}

}  // namespace vpnrun
