// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/filter/records.h"

#include <cerrno>
#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

#include "profiles/base/error.h"

namespace vpnrun::filter {

namespace fs = std::filesystem;

Records::Records(fs::path folder) : folder_(std::move(folder)) {}

fs::path Records::path(const std::string& name) const {
  return folder_ / name;
}

Records::Lines Records::read(const std::string& name) const {
  Lines lines;
  errno = 0;
  std::ifstream file(path(name));
  for (std::string line; std::getline(file, line);) {
    lines.insert(line);
  }
  if (file.bad() || (!file.is_open() && errno != ENOENT)) {
    throw_error(errno != 0 ? errno : EIO, "cannot read '{}'", path(name).string());
  }
  return lines;
}

Records::Lines Records::others(const std::string& profile_name) const {
  Lines lines;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.front() != '.' && name != profile_name) {
      lines.merge(read(name));
    }
  }
  if (error && error.value() != ENOENT) {
    throw_error(error.value(), "cannot read '{}'", folder_.string());
  }
  return lines;
}

bool Records::has(const std::string& name) const noexcept {
  std::error_code error;
  return fs::exists(path(name), error);
}

void Records::write(const std::string& name, const Lines& lines) const {
  std::error_code error;
  if (fs::create_directories(folder_, error)) {
    fs::permissions(folder_, fs::perms::owner_all, error);  // servers are nobody else's business
  }
  const fs::path unfinished = path(".new-" + name);
  // A stream says that it failed, and not why; the calls below it leave that here.
  errno = 0;
  std::ofstream file(unfinished, std::ios::trunc);
  for (const auto& line : lines) {
    file << line << '\n';
  }
  file.close();
  if (!file) {
    throw_error(errno != 0 ? errno : EIO, "cannot write '{}'", path(name).string());
  }
  fs::rename(unfinished, path(name), error);
  if (error) {
    throw_error(error.value(), "cannot write '{}'", path(name).string());
  }
}

void Records::note(const std::string& name, const Lines& lines) const noexcept {
  try {
    write(name, lines);
  } catch (const std::exception&) {
    // A full disk will have room again.
  }
}

void Records::erase(const std::string& name) const {
  std::error_code error;
  fs::remove(path(".new-" + name), error);
  fs::remove(path(name), error);
  if (error) {
    throw_error(error.value(), "cannot remove '{}'", path(name).string());
  }
  fs::remove(folder_, error);  // unless another record is in it
}

}  // namespace vpnrun::filter
