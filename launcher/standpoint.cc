// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/standpoint.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "helper/base/runtime_layout.h"
#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"

namespace vpnrun {
namespace {

/// All zero if there is no such file: no file has that identity.
FileId id_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? FileId{.dev = info.st_dev, .ino = info.st_ino}
                                          : FileId{};
}

constexpr int kNoSocket = -1;
constexpr int kQuickMax = 1024;
constexpr int kQuickStep = 64;

int socket_option(int fd, int option, int otherwise) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : otherwise;
}

using AddressCall = int (*)(int, sockaddr*, socklen_t*);

/// "192.0.2.1:443", "[2001:db8::1]:443"; empty: it has none.
std::string address_of(int fd, AddressCall call) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
  if (call(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return {};
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof(address));
    (void)::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return formatted("{}:{}", text.data(), ntohs(address.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof(address));
    (void)::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
    return formatted("[{}]:{}", text.data(), ntohs(address.sin6_port));
  }
  return {};
}

std::string describe(int fd, int family) {
  if (family == AF_PACKET) {
    return "packet socket";
  }
  if (family != AF_INET && family != AF_INET6) {
    return formatted("socket of family {}", family);
  }
  const int protocol = socket_option(fd, SO_PROTOCOL, -1);
  std::string text = protocol == IPPROTO_TCP   ? "TCP"
                     : protocol == IPPROTO_UDP ? "UDP"
                                               : formatted("IP protocol {}", protocol);
  if (const std::string own = address_of(fd, ::getsockname); !own.empty()) {
    text += " from " + own;
  }
  if (const std::string peer = address_of(fd, ::getpeername); !peer.empty()) {
    text += " to " + peer;
  }
  return text;
}

/// A ring makes sockets for whoever has it, by a thread of the process that made it; the filter
/// inside refuses its system calls, and a ring that is polled (IORING_SETUP_SQPOLL) needs none.
bool is_ring(int fd) {
  constexpr std::string_view kRing = "anon_inode:[io_uring]";
  struct stat info {};
  if (::fstat(fd, &info) != 0 || (info.st_mode & S_IFMT) != 0) {
    return false;  // an anonymous inode has no file type
  }
  std::array<char, kRing.size() + 1> target{};
  const ssize_t size = ::readlink(formatted("/proc/self/fd/{}", fd).c_str(), target.data(),
                                  target.size());  // a longer one is another
  return size == static_cast<ssize_t>(kRing.size()) &&
         std::string_view(target.data(), kRing.size()) == kRing;
}

void add_if_outside(int fd, std::vector<OutsideSocket>& sockets) {
  const int family = socket_option(fd, SO_DOMAIN, kNoSocket);
  if (family == kNoSocket) {
    if (is_ring(fd)) {
      sockets.push_back({fd, "io_uring, which can make sockets"});
    }
  } else if (family != AF_UNIX && family != AF_NETLINK) {
    sockets.push_back({fd, describe(fd, family)});
  }
}

/// How many descriptors are open; 0 where the kernel does not tell (before Linux 6.2).
std::size_t open_count() {
  struct stat info {};
  return ::stat("/proc/self/fd", &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
}

/// Looks at the descriptors from `first` to before `last`. Returns how many of them are open.
std::size_t look_at(int first, int last, std::vector<OutsideSocket>& sockets) {
  std::array<pollfd, kQuickStep> room{};
  const std::span some(room.data(), static_cast<std::size_t>(last - first));
  for (int fd = first; pollfd & one : some) {
    one.fd = fd++;
  }
  // One call tells which are open, and that is few of them.
  const bool known = ::poll(some.data(), some.size(), 0) >= 0;
  std::size_t count = 0;
  for (const pollfd& one : some) {
    if (!known || (one.revents & POLLNVAL) == 0) {
      add_if_outside(one.fd, sockets);
      ++count;
    }
  }
  return count;
}

std::vector<OutsideSocket> quick_look() {
  rlimit limit{};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);  // cannot fail: a valid resource and address
  const int end = static_cast<int>(std::min<rlim_t>(kQuickMax, limit.rlim_cur));
  const std::size_t all = open_count();
  std::size_t seen = 0;
  std::vector<OutsideSocket> sockets;
  for (int first = 0; first < end && (all == 0 || seen < all); first += kQuickStep) {
    seen += look_at(first, std::min(first + kQuickStep, end), sockets);
  }
  return sockets;
}

std::vector<OutsideSocket> full_look() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (!directory) {
    throw_errno("cannot look at the inherited descriptors in '/proc/self/fd'");
  }
  std::vector<OutsideSocket> sockets;
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(entry->d_name);
    int fd = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), fd).ec == std::errc{}) {
      add_if_outside(fd, sockets);
    }
  }
  std::sort(sockets.begin(), sockets.end(),
            [](const OutsideSocket& a, const OutsideSocket& b) { return a.fd < b.fd; });
  return sockets;
}

}  // namespace

ProfileStandpoint::ProfileStandpoint(std::string directory)
    : directory_(std::move(directory)), netns_(id_of("/proc/self/ns/net")) {
  look_again();
}

void ProfileStandpoint::look_again() {
  const UniqueFd fd(::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Origin origin;
  record_ = fd.ok() && read_origin(fd.get(), origin) ? std::optional(origin) : std::nullopt;
}

bool ProfileStandpoint::is_inside() const {
  return record_ && netns_ == record_->netns && id_of("/proc/self/ns/mnt") == record_->view;
}

void ProfileStandpoint::refuse_other_network(const std::string& profile) const {
  if (!record_ || record_->from_namespaces != 0 || netns_ == record_->host.network_namespace ||
      id_of("/proc/self/ns/mnt") != record_->host.mount_namespace) {
    return;  // the helper judges a different mount namespace, such as a profile's view
  }
  throw Error(formatted("cannot enter profile '{}' from here: the caller is in another network "
                        "namespace than the host",
                        profile),
              std::make_error_code(std::errc::operation_not_permitted),
              formatted("as root: 'vpnrunctl attach UNIT {}' puts a service behind it; or [access] "
                        "from_namespaces = true in the profile admits such callers",
                        profile));
}

bool is_up(const std::string& directory) {
  const UniqueFd fd(
      ::open((directory + "/" + kUpEntry).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_RDLCK;  // conflicts only with the companion's write lock
  return fd.ok() && ::fcntl(fd.get(), F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}

std::vector<OutsideSocket> outside_sockets(Look look) {
  return look == Look::kQuick ? quick_look() : full_look();
}

}  // namespace vpnrun
