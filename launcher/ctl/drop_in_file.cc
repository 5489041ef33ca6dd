// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/drop_in_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "helper/base/name.h"
#include "helper/base/unique_fd.h"
#include "launcher/read_file.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

// Sorts after everybody else's, and after what `systemctl edit` writes (override.conf), even later:
// there a reset (RestrictAddressFamilies=) or an ExecStart= would undo ours, and of a list of what
// is allowed and one of what is refused, the one that is read first decides which kind it is.
constexpr std::string_view kFile = "zz-vpnrun.conf";
constexpr std::string_view kFolderSuffix = ".service.d";
constexpr std::string_view kMarkStart = "# Profile ";
constexpr std::string_view kMarkEnd =
    ": written by 'vpnrunctl attach', removed by 'vpnrunctl detach ";
constexpr std::size_t kMaxDropIn = 1U << 16U;

/// The profile in the first line of a drop-in; empty if it is not one of ours.
std::string marked_profile(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t end = line.find(kMarkEnd);
  if (!line.starts_with(kMarkStart) || end == std::string_view::npos) {
    return {};
  }
  const std::string_view name = line.substr(kMarkStart.size(), end - kMarkStart.size());
  return is_valid_profile_name(name) ? std::string(name) : std::string();
}

void write_whole(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) {
      throw_errno("cannot write '{}'", path);
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
}

/// The folder at `path`, made if it is not there.
UniqueFd open_folder(const std::string& path) {
  constexpr mode_t kFolderMode = 0755;
  const bool is_new = ::mkdir(path.c_str(), kFolderMode) == 0;
  if (!is_new && errno != EEXIST) {
    throw_errno("cannot make '{}'", path);
  }
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.ok() || (is_new && ::fchmod(folder.get(), kFolderMode) != 0)) {
    throw_errno("cannot open '{}'", path);
  }
  return folder;
}

/// `text` as `name` in `folder`; there is no such file yet.
void write_new(int folder, const std::string& name, const std::string& text,
               const std::string& path) {
  constexpr mode_t kMode = 0644;
  const UniqueFd file(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!file.ok()) {
    throw_errno("cannot write '{}'", path);
  }
  write_whole(file.get(), text, path);
  // Mode in spite of the umask; on the disk before the name is, so that no power cut leaves an
  // empty file behind, with which the service would start outside.
  if (::fchmod(file.get(), kMode) != 0 || ::fsync(file.get()) != 0) {
    throw_errno("cannot write '{}'", path);
  }
}

}  // namespace

std::string drop_in_path(const std::string& unit_folder, const std::string& id) {
  return formatted("{}/{}.d/{}", unit_folder, id, kFile);
}

std::string drop_in_mark(const std::string& id, const std::string& profile,
                         const std::string& options) {
  return formatted("{}{}{}{}{}'", kMarkStart, profile, kMarkEnd, options, id);
}

std::optional<std::string> read_drop_in(const std::string& path) {
  std::optional<std::string> text = read_file(path, kMaxDropIn);
  if (text && marked_profile(*text).empty()) {
    throw Error(formatted("'{}' was not written by vpnrunctl", path),
                std::make_error_code(std::errc::file_exists), "rename it, or remove it by hand");
  }
  return text;
}

void write_drop_in(const std::string& path, const std::string& text) {
  const std::filesystem::path file(path);
  const UniqueFd folder = open_folder(file.parent_path());
  // systemd reads only names that end with .conf.
  const std::string temporary = formatted(".{}.{}", kFile, ::getpid());
  try {
    write_new(folder.get(), temporary, text, path);
    if (::renameat(folder.get(), temporary.c_str(), folder.get(), kFile.data()) != 0) {
      throw_errno("cannot write '{}'", path);
    }
  } catch (const Error&) {
    (void)::unlinkat(folder.get(), temporary.c_str(), 0);  // the first error is told
    throw;
  }
  (void)::fsync(folder.get());  // not every file system can; the rename holds in any case
}

void remove_drop_in(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw_errno("cannot remove '{}'", path);
  }
  const std::string folder = std::filesystem::path(path).parent_path();
  if (::rmdir(folder.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT) {
    throw_errno("cannot remove '{}'", folder);
  }
}

std::vector<AttachedUnit> attached_units(const std::string& unit_folder) {
  std::vector<AttachedUnit> units;
  std::error_code absent;  // no folder: nothing is attached
  for (const auto& entry : std::filesystem::directory_iterator(unit_folder, absent)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(kFolderSuffix)) {
      continue;
    }
    const std::string id = name.substr(0, name.size() - 2);
    const std::string file = drop_in_path(unit_folder, id);
    const std::string profile = marked_profile(read_file(file, kMaxDropIn).value_or(""));
    if (!profile.empty()) {
      units.push_back({id, profile, file});
    }
  }
  std::sort(units.begin(), units.end(),
            [](const AttachedUnit& left, const AttachedUnit& right) { return left.id < right.id; });
  return units;
}

}  // namespace vpnrun
