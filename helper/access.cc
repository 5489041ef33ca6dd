// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper/access.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>

#include "helper/base/open_at.h"
#include "helper/die.h"

namespace vpnrun {
namespace {

// ENOENT and EACCES must not be told apart: the difference says which profiles exist.
[[noreturn]] void die_no_access(const char* name) noexcept {
  if (errno != ENOENT && errno != EACCES) {
    die(Text("cannot open profile '", name, "'", Errno{errno}),
        Text("prepare it again: systemctl reload-or-restart vpnrun-netns@", name));
  }
  die(Text("profile '", name, "' does not exist, is not prepared, or you are not admitted to it"),
      Text("'vpnrunctl list' shows your profiles; [access] in the profile says who is admitted"));
}

[[noreturn]] void die_inconsistent(const char* name, const char* what) noexcept {
  die(Text("cannot use profile '", name, "': ", what),
      Text("prepare it again, which keeps what runs in it: systemctl reload-or-restart "
           "vpnrun-netns@",
           name));
}

[[noreturn]] void die_wrong_standpoint(const char* name, const char* what) noexcept {
  die(Text("cannot enter profile '", name, "' from here: ", what),
      Text("as root: 'vpnrunctl attach UNIT ", name,
           "' puts a confined service behind it (NetworkNamespacePath= and what goes with it)"));
}

// Whoever was given no network is not to get one here (systemd's PrivateNetwork=, `unshare -n`).
[[noreturn]] void die_wrong_network(const char* name) noexcept {
  die(Text("cannot enter profile '", name,
           "' from here: the caller is in another network namespace than the host"),
      Text("as root: 'vpnrunctl attach UNIT ", name,
           "' puts a service behind it; or [access] from_namespaces = true in the profile admits "
           "such callers"));
}

void require_root_owned(int fd, const char* path) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || status.st_uid != 0 ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    die(Text("cannot trust '", path, "': it does not belong to root, or others may write to it"),
        Text("remove it as root and prepare the profile again"));
  }
}

UniqueFd open_recorded(const ProfileAccess& profile, const char* entry, int type,
                       const FileId& recorded) noexcept {
  UniqueFd fd = open_namespace_at(profile.directory.get(), entry, type);
  if (!fd.ok()) {
    if (errno == EINVAL) {
      die_inconsistent(profile.name, "one of its entries is not the namespace that it should be");
    }
    die_no_access(profile.name);
  }
  FileId found;
  if (!file_id(fd.get(), found) || found != recorded) {
    die_inconsistent(profile.name, "one of its namespaces is not the recorded one");
  }
  return fd;
}

}  // namespace

ProfileAccess open_profile(const char* name) noexcept {
  // O_PATH: the root directory may be searched by everybody and listed by nobody.
  const UniqueFd root(::open(kRuntimeRoot, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root.ok()) {
    die_no_access(name);
  }
  require_root_owned(root.get(), kRuntimeRoot);
  ProfileAccess profile{name, open_directory_at(root.get(), name), {}};
  if (!profile.directory.ok()) {
    die_no_access(name);
  }
  require_root_owned(profile.directory.get(), name);
  if (!read_origin(profile.directory.get(), profile.origin)) {
    if (errno == EPERM || errno == EINVAL) {
      die_inconsistent(name, "its record of the host is damaged or of another version");
    }
    die_no_access(name);
  }
  return profile;
}

void check_standpoint(const ProfileAccess& profile) noexcept {
  Standpoint here;
  if (!current_standpoint(here)) {
    die(Text("cannot tell from where profile '", profile.name, "' is entered", Errno{errno}),
        Text("vpnrun needs procfs at /proc and Linux 5.8 or later"));
  }
  Standpoint host = profile.origin.host;
  if (here.mount_namespace == profile.origin.view) {
    die(Text("already inside profile '", profile.name, "'"),
        Text("start the command without vpnrun; it stays inside"));
  }
  if (here.user_namespace != host.user_namespace) {
    die_wrong_standpoint(profile.name, "the caller is in another user namespace than the host");
  }
  if (here.pid_namespace != host.pid_namespace) {
    die_wrong_standpoint(profile.name, "the caller is in another pid namespace than the host");
  }
  if (here.mount_namespace != host.mount_namespace) {
    die_wrong_standpoint(profile.name, "the caller has another mount namespace than the host");
  }
  if (profile.origin.from_namespaces == 1) {
    host.network_namespace = here.network_namespace;
  }
  if (here.network_namespace != host.network_namespace) {
    die_wrong_network(profile.name);
  }
  if (here != host) {
    die_wrong_standpoint(profile.name, "the caller has another root directory than the host");
  }
}

Namespaces open_namespaces(const ProfileAccess& profile) noexcept {
  return {profile.name, open_recorded(profile, kNetnsEntry, CLONE_NEWNET, profile.origin.netns),
          open_recorded(profile, kViewEntry, CLONE_NEWNS, profile.origin.view)};
}

void join_namespaces(const Namespaces& namespaces) noexcept {
  if (::setns(namespaces.netns.get(), CLONE_NEWNET) != 0) {
    die(Text("cannot join the network namespace of profile '", namespaces.profile, "'",
             Errno{errno}),
        Text("a security module or a seccomp filter of the caller may forbid setns(2)"));
  }
  if (::setns(namespaces.view.get(), CLONE_NEWNS) != 0) {
    die(Text("cannot join the file system view of profile '", namespaces.profile, "'",
             Errno{errno}),
        Text("a security module or a seccomp filter of the caller may forbid setns(2)"));
  }
}

}  // namespace vpnrun
