// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/view.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "helper/base/open_at.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "systemd/service/names/covered_folders.h"
#include "systemd/service/names/run_folder.h"
#include "systemd/service/os/mount_table.h"

namespace vpnrun::service {
namespace {

constexpr unsigned kReadOnlyOverlay =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/// An O_PATH descriptor of what is visible at `path` now: of the topmost mount if there are
/// several, of a symbolic link itself and not its target. nullopt if there is nothing.
std::optional<UniqueFd> open_visible(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (fd.ok()) {
    return fd;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return std::nullopt;
  }
  throw_errno("cannot open '{}'", path);
}

FileId id_of(const UniqueFd& fd, const std::string& path) {
  FileId id;
  if (!file_id(fd.get(), id)) {
    throw_errno("cannot examine '{}'", path);
  }
  return id;
}

bool is_folder(const UniqueFd& fd) {
  struct stat status {};
  return ::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

void uncover(const std::string& target) {
  while (::umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
}

enum class Overlay : std::uint8_t { kInPlace, kToBeLaid, kImpossible };

/// As with ip-netns(8), only what exists on both sides, and is a folder on both or on neither, is
/// laid over.
Overlay compare(const std::string& source, const std::string& target) {
  const auto target_fd = open_visible(target);
  const auto source_fd = open_visible(source);
  if (!target_fd || !source_fd || is_folder(*target_fd) != is_folder(*source_fd)) {
    return Overlay::kImpossible;
  }
  return id_of(*target_fd, target) == id_of(*source_fd, source) ? Overlay::kInPlace
                                                                : Overlay::kToBeLaid;
}

/// Binds `source` over `target`. A target that is a symbolic link, even a dangling one, is covered
/// itself: move_mount(2) takes a descriptor of it, where a path would be followed.
void lay_over(const std::string& source, const std::string& target) {
  if (compare(source, target) != Overlay::kToBeLaid) {
    return;
  }
  // First removes what we laid before, whose source has been replaced since: nothing can be mounted
  // on a deleted file, and otherwise mounts would pile up.
  uncover(target);
  if (compare(source, target) != Overlay::kToBeLaid) {
    return;
  }
  const auto target_fd = open_visible(target);
  const auto source_fd = open_visible(source);
  if (!target_fd || !source_fd) {
    return;  // gone since the comparison
  }
  const UniqueFd tree(
      ::open_tree(source_fd->get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree.ok()) {
    throw_errno("cannot bind '{}'", source);
  }
  mount_attr attributes{};
  attributes.attr_set = kReadOnlyOverlay;
  attributes.propagation = MS_PRIVATE;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    throw_errno("cannot make the overlay of '{}' read-only", target);
  }
  if (::move_mount(tree.get(), "", target_fd->get(), "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    throw_errno("cannot lay '{}' over '{}'", source, target);
  }
}

std::vector<std::string> entries_of(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  std::vector<std::string> names;
  if (!directory) {
    if (errno == ENOENT) {
      return names;
    }
    throw_errno("cannot read '{}'", folder);
  }
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  return names;
}

/// Removes what was laid over /etc from files of `folder` that no longer exist.
void lift_overlays_without_source(const std::string& folder) {
  // A mount gives its root as a path from the root of its file system, not from ours.
  const std::string tail = folder.substr(folder.find('/', 1));
  for (const auto& mount : mounts_below("/etc")) {
    const std::string& root = mount.root;
    const std::string name = mount.point.substr(std::string_view("/etc/").size());
    const std::string source = formatted("{}/{}", tail, name);
    const std::string deleted = formatted("{}//deleted", source);
    if ((root.ends_with(source) || root.ends_with(deleted)) &&
        !open_visible(formatted("{}/{}", folder, name))) {
      uncover(mount.point);
    }
  }
}

/// sysfs shows the network devices of the namespace it was mounted in; so a new one is mounted over
/// /sys. What is mounted below the old one (cgroup, bpf, debug, …) is carried over, because
/// programs and snaps look for their cgroup there.
void renew_sysfs() {
  struct Kept {
    UniqueFd tree;
    std::string point;
  };
  std::vector<Kept> submounts;
  for (const auto& point : topmost_mounts_below("/sys")) {
    UniqueFd tree(
        ::open_tree(AT_FDCWD, point.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!tree.ok()) {
      throw_errno("cannot keep the mount '{}'", point);
    }
    submounts.push_back({std::move(tree), point});
  }
  if (::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    throw_errno("cannot mount the namespace's '/sys'");
  }
  for (const auto& [tree, point] : submounts) {
    // ENOENT: the new sysfs lacks the mount point; nothing can be put there, and nothing is exposed
    if (::move_mount(tree.get(), "", AT_FDCWD, point.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0 &&
        errno != ENOENT) {
      throw_errno("cannot move the mount '{}' to the namespace's '/sys'", point);
    }
  }
}

/// Unmounts the copy of the host's /run before the view's own is mounted. It would stay below, with
/// the entries of all profiles: whatever is mounted for one of them would be mounted in the views
/// of all others as well. If /run is not a mount, nothing happens.
void uncover_run() {
  uncover("/run");
}

/// libc looks for nscd at /var/run/nscd/socket. Where /var/run is not a link to /run (but a bind of
/// it, or a folder of its own), the view's /run is mounted over it.
void cover_other_run() {
  struct stat status {};
  if (::lstat("/var/run", &status) == 0 && S_ISDIR(status.st_mode) &&
      ::mount("/run", "/var/run", nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    throw_errno("cannot lay the view's '/run' over '/var/run'");
  }
}

}  // namespace

void build_view(const ViewSources& sources) {
  const UniqueFd host(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!host.ok()) {
    throw_errno("cannot open the host's mount namespace");
  }
  if (::unshare(CLONE_NEWNS) != 0) {
    throw_errno("cannot create a mount namespace");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    throw_errno("cannot make the mount namespace a slave of the host's");
  }
  uncover_run();
  make_run_folder(host.get());
  cover_other_run();
  renew_sysfs();
  cover_folders();
  lay_overlays(sources);
}

void lay_overlays(const ViewSources& sources) {
  lift_overlays_without_source(sources.etc);
  lift_overlays_without_source(sources.administrator);
  std::optional<Error> first;
  const auto lay = [&first](const std::string& folder, const std::string& name) {
    try {
      lay_over(folder + '/' + name, "/etc/" + name);
    } catch (const Error& error) {
      first = first ? first : error;  // one file must not keep the others from being laid
    }
  };
  const std::vector<std::string> own = entries_of(sources.administrator);
  for (const auto& name : entries_of(sources.etc)) {
    if (std::find(own.begin(), own.end(), name) == own.end()) {
      lay(sources.etc, name);
    }
  }
  for (const auto& name : own) {
    lay(sources.administrator, name);
  }
  if (first) {
    throw std::move(
        *first);  // NOLINT(*-throw-by-value-catch-by-reference,cert-err09-cpp,cert-err61-cpp)
  }
}

std::vector<WatchedFolder> watched_folders(const ViewSources& sources) {
  using Haste = WatchedFolder::Haste;
  using Names = std::vector<std::string>;
  const auto overlays = [sources] {
    Names names = entries_of(sources.etc);
    const Names own = entries_of(sources.administrator);
    names.insert(names.end(), own.begin(), own.end());
    names.emplace_back("netns");
    names.emplace_back("hosts");  // what it lacks is generated
    return names;
  };
  const std::string own = sources.administrator.substr(sources.administrator.rfind('/') + 1);
  // Names with a dot in front are skipped here and in follow_run_folder(): they are files that are
  // just being made.
  const auto all_of = [](const std::string& folder) {
    return [folder] { return entries_of(folder); };
  };
  return {{"/etc", Haste::kAtOnce, overlays},
          {"/etc/netns", Haste::kAtOnce, [own] { return Names{own}; }},
          {sources.administrator, Haste::kAtOnce, all_of(sources.administrator)},
          {"/run", Haste::kSettled, all_of("/run")},
          {"/run/systemd", Haste::kSettled, all_of("/run/systemd")}};
}

}  // namespace vpnrun::service
