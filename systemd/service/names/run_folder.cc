// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/run_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

constexpr const char* kRun = "/run";
constexpr std::array<std::string_view, 7> kHidden = {
    "avahi-daemon", "dbus", "nscd", "snapd", "snapd-snap.socket", "snapd.socket", "systemd/resolve",
};
/// Not bound as a whole because something in it is hidden.
constexpr std::string_view kDivided = "systemd";
constexpr std::string_view kOurs = "vpnrun";
static_assert(std::string_view(kRuntimeRoot) == "/run/vpnrun");
constexpr mode_t kFolderMode = 0755;

/// What is at a path: enough to tell whether it is still the same.
struct Entry {
  mode_t type = 0;  ///< S_IFMT
  FileId id;
  std::string target;  ///< of a symbolic link
};

enum class Hidden : std::uint8_t { kWith, kWithout };

/// By path below /run.
using Entries = std::map<std::string, Entry>;

/// An entry of the host, on its way into the view.
struct Passage {
  std::string path;
  Entry entry;
  UniqueFd tree;  ///< detached; none for a symbolic link
};

void enter(int mount_namespace) {
  if (::setns(mount_namespace, CLONE_NEWNS) != 0) {
    throw_errno("cannot enter the view");
  }
}

std::string absolute(const std::string& path) {
  return std::string(kRun) + '/' + path;
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(absolute(path).c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

/// Adds what is in /run/`folder` (empty: in /run itself) to `found`. Skips names that start with a
/// dot: those are temporary files. With Hidden::kWith, also adds what is hidden: a view of an
/// earlier version may have it.
void list(const std::string& folder, Hidden hidden, Entries& found) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(absolute(folder).c_str()),
                                                      ::closedir);
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return;
    }
    throw_errno("cannot read '{}'", absolute(folder));
  }
  while (const dirent* item = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = static_cast<const char*>(item->d_name);
    const std::string path = folder.empty() ? name : formatted("{}/{}", folder, name);
    struct stat status {};
    if (name.front() == '.' ||
        (hidden == Hidden::kWithout && std::count(kHidden.begin(), kHidden.end(), path) != 0) ||
        ::lstat(absolute(path).c_str(), &status) != 0) {
      continue;
    }
    Entry entry{status.st_mode & S_IFMT, {status.st_dev, status.st_ino}, {}};
    if (S_ISLNK(status.st_mode)) {
      entry.id = {};
      entry.target = link_target(path);
    }
    const bool divided = path == kDivided && S_ISDIR(status.st_mode);
    if (divided) {
      entry.id = {};  // a folder of the view's own, always the same
      list(path, hidden, found);
    }
    found.emplace(path, std::move(entry));
  }
}

Entries list_run(Hidden hidden) {
  Entries found;
  list({}, hidden, found);
  return found;
}

bool same(const Entry& a, const Entry& b) {
  return a.type == b.type && a.id == b.id && a.target == b.target;
}

/// A detached copy of what is mounted at the path; mounts made on the host later appear in it, and
/// none of its own on the host. Invalid if that is not possible, or the path is gone.
UniqueFd copy_tree(const std::string& path) {
  const bool ours = path == kOurs;
  const unsigned depth = ours ? 0U : static_cast<unsigned>(AT_RECURSIVE);
  UniqueFd tree(::open_tree(AT_FDCWD, absolute(path).c_str(),
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | depth));
  mount_attr attributes{};
  attributes.propagation = ours ? MS_PRIVATE : MS_SLAVE;
  if (tree.ok() &&
      ::mount_setattr(tree.get(), "", AT_EMPTY_PATH | depth, &attributes, sizeof attributes) != 0) {
    throw_errno("cannot copy the mount '{}'", absolute(path));
  }
  return tree;
}

/// Copies what is new or has changed. To be called in the host's mount namespace.
std::vector<Passage> take_along(const Entries& wanted, const Entries& present) {
  std::vector<Passage> passages;
  for (const auto& [path, entry] : wanted) {
    const auto old = present.find(path);
    if (old != present.end() && same(old->second, entry)) {
      continue;
    }
    Passage passage{path, entry, {}};
    if (entry.type != S_IFLNK && path != kDivided) {
      passage.tree = copy_tree(path);
      if (!passage.tree.ok()) {
        continue;
      }
    }
    passages.push_back(std::move(passage));
  }
  return passages;
}

/// Removes what is at the path from the view, its mounts first.
void take_away(const std::string& path) {
  const std::string name = absolute(path);
  while (::umount2(name.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  (void)::unlink(name.c_str());
  (void)::rmdir(name.c_str());
}

bool make_place(const Passage& passage) {
  const std::string name = absolute(passage.path);
  if (passage.entry.type == S_IFLNK) {
    return ::symlink(passage.entry.target.c_str(), name.c_str()) == 0;
  }
  if (passage.entry.type == S_IFDIR) {
    return ::mkdir(name.c_str(), kFolderMode) == 0 || errno == EEXIST;
  }
  return UniqueFd(::open(name.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0))
      .ok();
}

/// Puts them into the view, in whose mount namespace it is to be called. Parents come before what
/// is in them: the map is sorted.
void arrive(const std::vector<Passage>& passages) {
  for (const auto& passage : passages) {
    if (passage.path != kDivided) {
      take_away(passage.path);
    }
    // ELOOP or EINVAL: it contains a bound mount namespace that is younger than the view. Left out.
    if (!make_place(passage) || (passage.tree.ok() && ::move_mount(passage.tree.get(), "", AT_FDCWD,
                                                                   absolute(passage.path).c_str(),
                                                                   MOVE_MOUNT_F_EMPTY_PATH) != 0)) {
      take_away(passage.path);
    }
  }
}

}  // namespace

void make_run_folder(int host_namespace) {
  if (::mount("vpnrun", kRun, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m") !=
      0) {
    throw_errno("cannot mount the view's '{}'", kRun);
  }
  const UniqueFd view(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!view.ok()) {
    throw_errno("cannot open the view");
  }
  follow_run_folder(host_namespace, view.get());
}

void follow_run_folder(int host_namespace, int view) {
  enter(view);
  const Entries present = list_run(Hidden::kWith);
  enter(host_namespace);
  const Entries wanted = list_run(Hidden::kWithout);
  const std::vector<Passage> passages = take_along(wanted, present);
  enter(view);
  std::vector<std::string> gone;
  for (const auto& [path, entry] : present) {
    if (!wanted.contains(path)) {
      gone.push_back(path);
    }
  }
  for (; !gone.empty(); gone.pop_back()) {  // what is in a folder before the folder
    take_away(gone.back());
  }
  arrive(passages);
}

}  // namespace vpnrun::service
