// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/log.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

/// The record of 0.1.0: neither the host's network namespace nor from_namespaces and i386.
struct FirstOrigin {
  static constexpr std::uint64_t kMagic = 0x324e4952504e5256;  // "VRNPRIN2"
  std::uint64_t magic = 0;
  FileId mount_namespace;
  FileId pid_namespace;
  FileId user_namespace;
  FileId root;
  std::uint64_t root_mount = 0;
  FileId netns;
  FileId view;
  std::uint64_t no_new_privs = 0;
};
static_assert(std::has_unique_object_representations_v<FirstOrigin> &&
                  sizeof(FirstOrigin) != sizeof(Origin),
              "records are told apart by their size");

/// Returns an errno, or 0.
int read_first_record(int directory, Origin& out) {
  const UniqueFd fd(
      ::openat(directory, kOriginEntry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd.ok() || ::fstat(fd.get(), &status) != 0) {
    return errno;
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != 0 ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return EPERM;
  }
  FirstOrigin first;
  if (status.st_size != sizeof first || ::read(fd.get(), &first, sizeof first) != sizeof first ||
      first.magic != FirstOrigin::kMagic || first.no_new_privs > 1) {
    return EINVAL;
  }
  out = {};
  out.host.mount_namespace = first.mount_namespace;
  out.host.pid_namespace = first.pid_namespace;
  out.host.user_namespace = first.user_namespace;
  out.host.root = first.root;
  out.host.root_mount = first.root_mount;
  out.netns = first.netns;
  out.view = first.view;
  out.no_new_privs = first.no_new_privs;
  return 0;
}

}  // namespace

bool read_record(int directory, Origin& out) {
  if (read_origin(directory, out)) {
    return true;
  }
  if (errno == EINVAL) {
    errno = read_first_record(directory, out);
    return errno == 0;
  }
  return false;
}

bool says_the_same(const Origin& origin, const profile::Profile& profile) {
  return (origin.no_new_privs != 0) == profile.application.no_new_privs &&
         (origin.from_namespaces != 0) == profile.access.from_namespaces &&
         (origin.i386 != 0) == profile.application.i386;
}

void write_record(int directory, Origin origin, const profile::Profile& profile) {
  origin.no_new_privs = profile.application.no_new_privs ? 1 : 0;
  origin.from_namespaces = profile.access.from_namespaces ? 1 : 0;
  origin.i386 = profile.application.i386 ? 1 : 0;
  replace_file(directory, kOriginEntry,
               std::string_view(reinterpret_cast<const char*>(&origin), sizeof origin));
}

void tell_helper(int directory, const profile::Profile& profile) {
  Origin origin;
  const auto is_wrong = [&] {
    return read_origin(directory, origin) && !says_the_same(origin, profile);
  };
  if (!is_wrong()) {  // without the lock: only a look
    return;
  }
  const ProfileLock lock(profile.name);
  if (is_wrong()) {
    write_record(directory, origin, profile);
  }
}

void take_over_record(const profile::Profile& profile) {
  const UniqueFd directory = open_profile_directory(profile.name);
  Origin origin;
  const auto is_old = [&] {
    return read_record(directory.get(), origin) && origin.host.network_namespace == FileId{};
  };
  if (!directory.ok() || !is_old()) {  // without the lock: this only reads
    return;
  }
  const ProfileLock lock(profile.name);
  if (!is_old()) {
    return;
  }
  // Only the network namespace: this process may run in a unit with mounts of its own.
  Standpoint here;
  if (!current_standpoint(here)) {
    throw_errno("cannot tell the machine's network namespace");
  }
  origin.host.network_namespace = here.network_namespace;
  write_record(directory.get(), origin, profile);
  log::info("took over what an earlier version of vpnrun had prepared");
}

}  // namespace vpnrun::service
