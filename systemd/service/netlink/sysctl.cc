// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/netlink/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "helper/base/unique_fd.h"

namespace vpnrun::netlink {
namespace {

UniqueFd open_setting(const std::string& name, int flags) noexcept {
  std::array<char, PATH_MAX> path{};
  const int size = std::snprintf(path.data(), path.size(), "/proc/sys/%s", name.c_str());
  if (size < 0 || static_cast<std::size_t>(size) >= path.size()) {
    errno = ENAMETOOLONG;
    return {};
  }
  UniqueFd file(::open(path.data(), flags | O_CLOEXEC));
  return file;
}

}  // namespace

int write_sysctl(const std::string& name, const std::string& value) noexcept {
  const UniqueFd file = open_setting(name, O_WRONLY);
  if (!file.ok()) {
    return errno;
  }
  const ::ssize_t written = ::write(file.get(), value.data(), value.size());
  if (written < 0) {
    return errno;
  }
  // A setting takes its value in one piece or not at all.
  return static_cast<std::size_t>(written) == value.size() ? 0 : EIO;
}

std::optional<std::string> read_sysctl(const std::string& name) {
  const UniqueFd file = open_setting(name, O_RDONLY);
  if (!file.ok()) {
    return std::nullopt;
  }
  std::array<char, 4096> buffer{};
  const ::ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) {
    return std::nullopt;
  }
  std::string value(buffer.data(), static_cast<std::size_t>(size));
  while (!value.empty() && value.back() == '\n') {
    value.pop_back();
  }
  return value;
}

}  // namespace vpnrun::netlink
