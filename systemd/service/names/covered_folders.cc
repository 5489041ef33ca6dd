// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/names/covered_folders.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "systemd/service/os/mount_table.h"

namespace vpnrun::service {
namespace {

constexpr std::array kClosed = {"/snap", "/usr/lib/snapd", "/usr/libexec/snapd", "/var/lib/snapd",
                                "/dev/infiniband"};
constexpr const char* kCover = "vpnrun-cover";  ///< the source of such a mount

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + '/');
}

/// The mount that is visible at `path`; nullopt if nothing is there, or not a folder. A symbolic
/// link is not followed: its target is covered under its own name.
std::optional<std::uint64_t> mount_at(const std::string& path) {
  const UniqueFd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.ok()) {
    return std::nullopt;
  }
  struct statx status {};
  if (::statx(folder.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
    throw_errno("cannot examine '{}'", path);
  }
  return status.stx_mnt_id;
}

/// Whether there are home folders in `folder`. Those of a directory service's users are recognized
/// only below /home.
bool has_homes(const std::string& folder) {
  if (is_below(folder, "/home") || folder == "/") {
    return true;
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> accounts(std::fopen("/etc/passwd", "re"),
                                                       std::fclose);
  const passwd* account = nullptr;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  while (accounts && (account = ::fgetpwent(accounts.get())) != nullptr) {
    if (is_below(account->pw_dir, folder)) {
      return true;
    }
  }
  return false;
}

void cover(const std::string& folder) {
  if (::mount(kCover, folder.c_str(), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=0755,size=4k") != 0) {
    throw_errno("cannot cover '{}'", folder);
  }
}

}  // namespace

void cover_folders() {
  const std::vector<Mount> mounts = mount_table();
  const auto is_covered = [&mounts](std::uint64_t id) {
    return std::any_of(mounts.begin(), mounts.end(), [id](const Mount& mount) {
      return mount.id == id && mount.source == kCover;
    });
  };
  std::optional<Error> first;
  const auto try_cover = [&first](const std::string& folder) {
    try {
      cover(folder);
    } catch (const Error& error) {
      first = first ? first : error;  // one folder must not keep the others from being covered
    }
  };
  for (const Mount& mount : mounts) {
    // Not a mount that is hidden below another one.
    if (is_indirect_automount(mount) && mount_at(mount.point) == mount.id &&
        !has_homes(mount.point)) {
      try_cover(mount.point);
    }
  }
  for (const char* folder : kClosed) {
    const auto id = mount_at(folder);
    if (id && !is_covered(*id)) {
      try_cover(folder);
    }
  }
  if (first) {
    throw std::move(
        *first);  // NOLINT(*-throw-by-value-catch-by-reference,cert-err09-cpp,cert-err61-cpp)
  }
}

}  // namespace vpnrun::service
