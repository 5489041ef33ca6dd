// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/standpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"

namespace vpnrun {
namespace {

bool leads_to(const char* path, const FileId& id) {
  struct stat info {};
  return ::stat(path, &info) == 0 && info.st_dev == id.dev && info.st_ino == id.ino;
}

bool is_internet_socket(int fd) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         (domain == AF_INET || domain == AF_INET6);
}

}  // namespace

bool is_inside(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Origin origin;
  return fd.ok() && read_origin(fd.get(), origin) && leads_to("/proc/self/ns/net", origin.netns) &&
         leads_to("/proc/self/ns/mnt", origin.view);
}

std::vector<int> inherited_internet_sockets() {
  std::vector<int> sockets;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (!directory) {
    return sockets;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error == std::errc{} && stop == name.data() + name.size() && is_internet_socket(fd)) {
      sockets.push_back(fd);
    }
  }
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

}  // namespace vpnrun
