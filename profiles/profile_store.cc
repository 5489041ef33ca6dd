// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "helper/base/name.h"
#include "helper/base/unique_fd.h"
#include "profiles/error.h"

namespace vpnrun::profile {
namespace {

constexpr std::string_view kProfileSuffix = ".toml";
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthersRead = S_IRGRP | S_IROTH;

struct SplitPath {
  std::string folder;
  std::string name;
};

SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return {".", path};
  }
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

/// Not a link to one: what cannot be looked at is no profile.
bool is_regular(int folder_fd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) {
    return entry.d_type == DT_REG;
  }
  struct stat status {};
  return ::fstatat(folder_fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    throw_errno("cannot read '{}'", printable(path));
  }
  return status;
}

[[noreturn]] void refuse(const std::string& path, std::string_view reason, std::string hint) {
  throw Error(fmt::format("cannot use '{}': {}", printable(path), reason),
              std::error_code(EPERM, std::generic_category()), std::move(hint));
}

/// Nobody but root, or the user that this process runs as, can have put it there.
void check_owner_and_mode(const struct stat& status, const std::string& path, std::string_view what,
                          mode_t forbidden) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    refuse(path, fmt::format("{} belongs to uid {}, not to root", what, status.st_uid),
           fmt::format("if you trust it: chown root '{}'", printable(path)));
  }
  const mode_t mode = status.st_mode & 07777U;
  if ((mode & kOthersWrite) != 0) {
    refuse(path, fmt::format("others than its owner can write to {} (mode {:04o})", what, mode),
           fmt::format("chmod go-w '{}'", printable(path)));
  }
  if ((mode & forbidden) != 0) {
    refuse(path, fmt::format("others than its owner can read {} (mode {:04o})", what, mode),
           fmt::format("chmod 0600 '{}'", printable(path)));
  }
}

[[noreturn]] void throw_open_error(const std::string& path) {
  const int saved = errno;
  const std::error_code code(saved, std::generic_category());
  const std::string start = fmt::format("cannot read '{}': ", printable(path));
  if (saved == ELOOP) {
    throw Error(start + "it is a symbolic link", code, "name the file that it leads to");
  }
  throw Error(start + code.message(), code, saved == EACCES ? "read it as root" : std::string());
}

std::string read_all(int fd, const std::string& path, std::size_t max_bytes) {
  std::string content;
  constexpr std::size_t kChunk = 16384;
  while (content.size() <= max_bytes) {
    const std::size_t used = content.size();
    content.resize(used + std::min(kChunk, max_bytes + 1 - used));
    const ssize_t count = ::read(fd, content.data() + used, content.size() - used);
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot read '{}'", printable(path));
    }
    content.resize(used + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) {
      return content;
    }
  }
  throw Error(fmt::format("cannot use '{}': it has more than {} bytes", printable(path), max_bytes),
              std::error_code(EFBIG, std::generic_category()));
}

}  // namespace

std::string read_trusted_file(const std::string& path, Trust trust, std::size_t max_bytes) {
  const SplitPath parts = split(path);
  // The folder is held while the file in it is opened: what was checked is what is used.
  const UniqueFd folder(::open(parts.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) {
    throw_open_error(path);
  }
  // O_NONBLOCK: a FIFO in its place must not stop us.
  const UniqueFd file(
      ::openat(folder.get(), parts.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) {
    throw_open_error(path);
  }
  const struct stat status = status_of(file.get(), path);
  if (!S_ISREG(status.st_mode)) {
    throw Error(fmt::format("cannot use '{}': it is not a regular file", printable(path)),
                std::error_code(EINVAL, std::generic_category()));
  }
  if (trust != Trust::kAnyOwner) {
    check_owner_and_mode(status_of(folder.get(), parts.folder), parts.folder, "the folder", 0);
    check_owner_and_mode(status, path, "the file", trust == Trust::kSecret ? kOthersRead : 0);
  }
  return read_all(file.get(), path, max_bytes);
}

// Each launch comes through here: by readdir(3), because std::filesystem brings much code along.
std::vector<std::string> list_profiles(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (!directory) {
    return names;
  }
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view file = static_cast<const char*>(entry->d_name);
    if (!file.ends_with(kProfileSuffix)) {
      continue;
    }
    std::string name(file.substr(0, file.size() - kProfileSuffix.size()));
    if (is_valid_profile_name(name) && is_regular(::dirfd(directory.get()), *entry)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string default_profile_folder() {
  return VPNRUN_SYSCONFDIR "/vpnrun/profiles";
}

}  // namespace vpnrun::profile
