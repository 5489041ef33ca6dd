// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/named_namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "helper/base/open_at.h"
#include "helper/base/runtime_layout.h"
#include "profiles/base/error.h"
#include "systemd/service/names/etc_files.h"
#include "systemd/service/os/mount_points.h"
#include "systemd/service/runtime_dir.h"

namespace vpnrun::service {
namespace {

constexpr const char* kNamedFolder = "/run/netns";
/// Exists if the mount on that folder is ours.
constexpr const char* kMark = "/run/vpnrun/.made-run-netns";
/// In a profile's runtime directory: the name that we gave the host's namespace for this profile.
/// Also absent if somebody else had given that name before.
constexpr const char* kHostNameEntry = "name_host";

std::string path_of(const std::string& name) {
  return formatted("{}/{}", kNamedFolder, name);
}

FileId namespace_id(int fd) {
  FileId id;
  if (!file_id(fd, id)) {
    throw_errno("cannot examine a namespace");
  }
  return id;
}

void make_shared_folder() {
  make_folder(kNamedFolder);
  if (::mount("", kNamedFolder, "none", MS_SHARED | MS_REC, nullptr) == 0) {
    return;
  }
  if (errno != EINVAL) {
    throw_errno("cannot share '{}'", kNamedFolder);
  }
  if (::mount(kNamedFolder, kNamedFolder, "none", MS_BIND | MS_REC, nullptr) != 0 ||
      ::mount("", kNamedFolder, "none", MS_SHARED | MS_REC, nullptr) != 0) {
    throw_errno("cannot share '{}'", kNamedFolder);
  }
  make_mount_point(kMark);
}

/// Invalid if there is no such name.
UniqueFd open_named(const std::string& name) {
  const UniqueFd folder(::open(kNamedFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.ok() ? open_namespace_at(folder.get(), name.c_str(), CLONE_NEWNET) : UniqueFd();
}

/// The name that is recorded in a profile's directory; empty if there is none.
std::string host_name_of(const std::string& directory) {
  std::string name;
  std::getline(std::ifstream(formatted("{}/{}", directory, kHostNameEntry)), name);
  return name;
}

/// To be called with the HostLock held: other profiles make and remove the folder, too.
void name_locked(const std::string& name, int netns) {
  make_shared_folder();
  const UniqueFd named = open_named(name);
  if (named.ok() && namespace_id(named.get()) != namespace_id(netns)) {
    throw Error(formatted("there is another network namespace named '{}'", name),
                std::error_code(EEXIST, std::generic_category()),
                formatted("choose another name, or: ip netns delete {}", name));
  }
  if (!named.ok()) {
    bind_file(formatted("/proc/self/fd/{}", netns), path_of(name));
  }
}

bool is_wanted(const std::string& name) {
  const std::filesystem::directory_iterator profiles(kRuntimeRoot);
  return std::any_of(begin(profiles), end(profiles), [&name](const auto& entry) {
    return host_name_of(entry.path().string()) == name;
  });
}

}  // namespace

void name_namespace(const std::string& name, int netns) {
  const HostLock lock;
  name_locked(name, netns);
}

void unname_namespace(const std::string& name, int netns) {
  const UniqueFd named = open_named(name);
  if (named.ok() && namespace_id(named.get()) == namespace_id(netns)) {
    unmount_all(path_of(name));
    (void)::unlink(path_of(name).c_str());
  }
}

void set_host_name(const std::string& profile_name, int directory, const std::string& name) {
  const std::string before = host_name_of(runtime_path(profile_name));
  if (before.empty() && name.empty()) {
    return;
  }
  const HostLock lock;  // another profile may want, or give up, the same name
  const UniqueFd host(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!host.ok()) {
    throw_errno("cannot open the network namespace");
  }
  if (!before.empty() && before != name) {
    (void)::unlinkat(directory, kHostNameEntry, 0);
    if (!is_wanted(before)) {
      unname_namespace(before, host.get());
    }
  }
  if (!name.empty()) {
    const bool others = open_named(name).ok() && !is_wanted(name);
    name_locked(name, host.get());
    if (!others) {
      replace_file(directory, kHostNameEntry, name + "\n");
    }
  }
}

void remove_named_folder() {
  if (::access(kMark, F_OK) != 0) {
    return;  // without making /run/vpnrun just for the lock
  }
  const HostLock lock;
  if (::access(kMark, F_OK) == 0 && std::filesystem::is_empty(kNamedFolder)) {
    unmount_all(kNamedFolder);
    (void)::rmdir(kNamedFolder);
    (void)::unlink(kMark);
  }
}

}  // namespace vpnrun::service
