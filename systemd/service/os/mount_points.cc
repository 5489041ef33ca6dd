// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/mount_points.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr mode_t kFolder = 0755;

}  // namespace

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolder) != 0 && errno != EEXIST) {
    throw_errno("cannot create '{}'", path);
  }
  if (::chmod(path.c_str(), kFolder) != 0) {
    throw_errno("cannot set up '{}'", path);
  }
}

void make_mount_point(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                             S_IRUSR | S_IRGRP | S_IROTH));
  if (!file.ok()) {
    throw_errno("cannot create '{}'", path);
  }
}

void bind_file(const std::string& source, const std::string& target) {
  make_mount_point(target);
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    const int error = errno;
    (void)::unlink(target.c_str());  // EBUSY if something is mounted there: then it is in use
    throw_error(error, "cannot bind '{}'", target);
  }
}

void unmount_all(const std::string& path) {
  while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  // EINVAL: none is left; ENOENT: nothing is there at all.
  if (errno != EINVAL && errno != ENOENT) {
    throw_errno("cannot unmount '{}'", path);
  }
}

}  // namespace vpnrun::service
