// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/standpoint.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"

namespace vpnrun {
namespace {

/// All zero if there is no such file: no file has that identity.
FileId id_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? FileId{.dev = info.st_dev, .ino = info.st_ino}
                                          : FileId{};
}

bool is_internet_socket(int fd) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         (domain == AF_INET || domain == AF_INET6);
}

}  // namespace

bool is_inside(const std::string& directory) {
  const FileId netns = id_of("/proc/self/ns/net");
  // The entry alone tells almost every launch that it is outside, without the record.
  if (netns == FileId{} || netns != id_of(directory + "/" + kNetnsEntry)) {
    return false;
  }
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Origin origin;
  return fd.ok() && read_origin(fd.get(), origin) && netns == origin.netns &&
         id_of("/proc/self/ns/mnt") == origin.view;
}

bool is_up(const std::string& directory) {
  const UniqueFd fd(
      ::open((directory + "/" + kUpEntry).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_RDLCK;  // another user's read lock is not in its way: only the companion's is
  return fd.ok() && ::fcntl(fd.get(), F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}

std::vector<int> inherited_internet_sockets() {
  // One call tells which are open, and that is few of them.
  std::array<pollfd, kInheritedMax> all{};
  for (int fd = 0; fd < kInheritedMax; ++fd) {
    all.at(static_cast<std::size_t>(fd)).fd = fd;
  }
  const bool known = ::poll(all.data(), all.size(), 0) >= 0;
  std::vector<int> sockets;
  for (const pollfd& one : all) {
    if (!(known && (one.revents & POLLNVAL) != 0) && is_internet_socket(one.fd)) {
      sockets.push_back(one.fd);
    }
  }
  return sockets;
}

}  // namespace vpnrun
