// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/file_marks.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace vpnrun::service {
namespace {

std::int64_t since_epoch(const timespec& time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::optional<FileId> id_at(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return FileId{.dev = status.st_dev, .ino = status.st_ino};
}

}  // namespace

FileMark mark_of(const std::string& path) {
  FileMark mark;
  mark.path = path;
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    mark.is_there = true;
    mark.id = {.dev = status.st_dev, .ino = status.st_ino};
    mark.size = status.st_size;
    mark.modified = since_epoch(status.st_mtim);
    mark.changed = since_epoch(status.st_ctim);
  }
  return mark;
}

bool have_changed(const std::vector<FileMark>& marks) {
  return std::any_of(marks.begin(), marks.end(),
                     [](const FileMark& mark) { return mark_of(mark.path) != mark; });
}

std::string hidden_folder(const std::string& path, const std::string& machine_root) {
  if (!id_at(machine_root + "/")) {
    return {};  // this process may not look
  }
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    std::string folder = path.substr(0, end);
    const auto own = id_at(machine_root + folder);
    if (own && own != id_at(folder)) {
      return folder;
    }
  }
  return {};
}

}  // namespace vpnrun::service
