// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/profile_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "helper/base/name.h"
#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun::profile {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthersRead = S_IRGRP | S_IROTH;
constexpr int kLinksMax = 40;  // as path_resolution(7) has it

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

/// Not a link to one: what cannot be examined is not a profile.
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
  throw Error(formatted("cannot use '{}': {}", printable(path), reason),
              std::error_code(EPERM, std::generic_category()), std::move(hint));
}

/// Only root, or the user that this process runs as, can have put it there.
void check_owner_and_mode(const struct stat& status, const std::string& path, std::string_view what,
                          mode_t forbidden) {
  // To change a file that has other names changes it there, too.
  const std::string changed = S_ISREG(status.st_mode) && status.st_nlink > 1 ? "" : path;
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    refuse(path, formatted("{} belongs to uid {}, not to root", what, status.st_uid),
           cure("chown root", changed));
  }
  const mode_t mode = status.st_mode & 07777U;
  if ((mode & kOthersWrite) != 0) {
    refuse(path, formatted("users other than its owner can write to {} (mode {:04o})", what, mode),
           cure("chmod go-w", changed));
  }
  if ((mode & forbidden) != 0) {
    refuse(path, formatted("users other than its owner can read {} (mode {:04o})", what, mode),
           cure("chmod 0600", changed));
  }
}

[[noreturn]] void throw_open_error(const std::string& path) {
  const int saved = errno;
  const std::error_code code(saved, std::generic_category());
  const std::string start = formatted("cannot read '{}': ", printable(path));
  if (saved == ELOOP) {
    throw Error(start + "it is a symbolic link", code, "name the file that it leads to");
  }
  throw Error(start + code.message(), code, saved == EACCES ? "read it as root" : std::string());
}

/// The next folder on the way, itself and not what a link in its place leads to.
UniqueFd open_step(int parent_fd, const std::string& name, const std::string& path) {
  UniqueFd fd(::openat(parent_fd, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd.ok() && errno == ENOTDIR &&
      ::fstatat(parent_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISLNK(status.st_mode)) {
      throw Error(formatted("cannot use '{}': it is a symbolic link", printable(path)),
                  std::error_code(ELOOP, std::generic_category()),
                  "put the folder itself in its place, or name the one that it leads to");
    }
    errno = ENOTDIR;
  }
  if (!fd.ok()) {
    throw_open_error(path);
  }
  return fd;
}

/// Opens `folder` step by step. Whoever can write to a folder on the way can put another in the
/// place of the next one, unless the sticky bit is set. The last folder may not rely on that: a new
/// file there is as good as a replaced one.
UniqueFd open_trusted_folder(const std::string& folder) {
  std::string path = folder.starts_with('/') ? "/" : ".";
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t at = 0; fd.ok();) {
    at = std::min(folder.find_first_not_of('/', at), folder.size());
    const std::size_t end = std::min(folder.find('/', at), folder.size());
    struct stat status = status_of(fd.get(), path);
    if (at == folder.size()) {
      check_owner_and_mode(status, path, "the folder", 0);
      return fd;
    }
    if ((status.st_mode & S_ISVTX) != 0) {
      status.st_mode &= ~kOthersWrite;
    }
    check_owner_and_mode(status, path, "the folder", 0);
    const std::string name = folder.substr(at, end - at);
    path = folder.substr(0, end);
    fd = open_step(fd.get(), name, path);
    at = end;
  }
  throw_open_error(folder);
}

/// `path` with the first symbolic link in it replaced by what it leads to; nullopt: there is none.
/// Whoever can replace a link decides where it leads, so the folder that it is in must be root's.
std::optional<std::string> follow_first_link(const std::string& path) {
  for (std::size_t at = path.find_first_not_of('/'); at != std::string::npos;) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(path.substr(0, end).c_str(), target.data(),
                                    target.size());  // else it is not a link
    if (size > 0) {
      const std::string folder = path.substr(0, at);
      (void)open_trusted_folder(folder);
      const std::string where(target.data(), static_cast<std::size_t>(size));
      return (where.starts_with('/') ? where : folder + where) + path.substr(end);
    }
    at = path.find_first_not_of('/', end);
  }
  return std::nullopt;
}

/// `path` has no links. If it does not exist yet, that is not a fault: the folders up to it are
/// root's.
void check_program(const std::string& path) {
  const SplitPath parts = split(path);
  try {
    const UniqueFd folder = open_trusted_folder(parts.folder);
    const UniqueFd file(
        ::openat(folder.get(), parts.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!file.ok()) {
      throw_open_error(path);
    }
    check_owner_and_mode(status_of(file.get(), path), path, "the hook's program", 0);
  } catch (const Error& error) {
    if (error.code() != std::errc::no_such_file_or_directory) {
      throw;
    }
  }
}

/// Checked before it is opened, and again afterwards: only a regular file is ever opened.
UniqueFd open_regular(int folder_fd, const std::string& name, const std::string& path) {
  const UniqueFd place(::openat(folder_fd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!place.ok()) {
    throw_open_error(path);
  }
  const struct stat seen = status_of(place.get(), path);
  if (S_ISLNK(seen.st_mode)) {
    errno = ELOOP;
    throw_open_error(path);
  }
  if (!S_ISREG(seen.st_mode)) {
    throw Error(formatted("cannot use '{}': it is not a regular file", printable(path)),
                std::error_code(EINVAL, std::generic_category()));
  }
  UniqueFd file(
      ::openat(folder_fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.ok()) {
    throw_open_error(path);
  }
  const struct stat opened = status_of(file.get(), path);
  if (opened.st_dev != seen.st_dev || opened.st_ino != seen.st_ino) {
    throw Error(formatted("cannot use '{}': it is being replaced", printable(path)),
                std::error_code(EAGAIN, std::generic_category()));
  }
  return file;
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
  throw Error(formatted("cannot use '{}': it has more than {} bytes", printable(path), max_bytes),
              std::error_code(EFBIG, std::generic_category()));
}

}  // namespace

std::string cure(std::string_view command, const std::string& path) {
  constexpr std::string_view kOwnFolder = VPNRUN_SYSCONFDIR "/vpnrun";
  const auto is_at_or_below = [&path](std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
  };
  const bool goes_up = (path + "/").find("/../") != std::string::npos;
  if (!goes_up && (is_at_or_below(kOwnFolder) || is_at_or_below(kRuntimeRoot))) {
    return formatted("{} '{}'", command, printable(path));
  }
  return formatted("keep what root acts upon where only root can write, as in {}", kOwnFolder);
}

std::string read_trusted_file(const std::string& path, Trust trust, std::size_t max_bytes,
                              const FileCheck& check) {
  const SplitPath parts = split(path);
  // The folder is held while the file in it is opened: what was checked is what is used.
  const UniqueFd folder =
      trust == Trust::kAnyOwner
          ? UniqueFd(::open(parts.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))
          : open_trusted_folder(parts.folder);
  if (!folder.ok()) {
    throw_open_error(path);
  }
  const UniqueFd file = open_regular(folder.get(), parts.name, path);
  const struct stat status = status_of(file.get(), path);
  if (check) {
    check(status);
  }
  if (trust != Trust::kAnyOwner) {
    check_owner_and_mode(status, path, "the file", trust == Trust::kSecret ? kOthersRead : 0);
  }
  return read_all(file.get(), path, max_bytes);
}

void check_hook(const std::string& line) {
  // What the shell would change before it looks for a program is the shell's business.
  const std::string program = line.substr(0, line.find_first_of(" \t;|&<>()"));
  if (!program.starts_with('/') || program.find_first_of("$`\"'\\*?[{") != std::string::npos) {
    return;
  }
  // Unlike the files that are read, a program may be behind links, and many are (/bin,
  // alternatives).
  std::string path = program;
  for (int links = 0; links < kLinksMax; ++links) {
    std::optional<std::string> further = follow_first_link(path);
    if (!further) {
      check_program(path);
      return;
    }
    path = std::move(*further);
  }
  throw Error(formatted("cannot use '{}': too many symbolic links", printable(program)),
              std::error_code(ELOOP, std::generic_category()));
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
