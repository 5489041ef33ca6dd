// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace vpnrun::service {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kInheritedMax = 16;

long number_in(const char* variable) {
  const char* text = ::secure_getenv(variable);
  return text == nullptr ? -1 : std::strtol(text, nullptr, 10);
}

void forget(std::initializer_list<const char*> variables) {
  for (const char* variable : variables) {
    (void)::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  }
}

}  // namespace

void notify(const std::string& message) noexcept {
  const char* path = ::secure_getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (*path != '/' && *path != '@')) {
    return;
  }
  const std::string_view name(path);
  if (name.size() >= sizeof address.sun_path) {
    return;
  }
  address.sun_family = AF_UNIX;
  name.copy(static_cast<char*>(address.sun_path), name.size());
  if (*path == '@') {
    address.sun_path[0] = '\0';
  }
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  (void)::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

std::optional<std::chrono::microseconds> watchdog_period() {
  const std::chrono::microseconds period(number_in("WATCHDOG_USEC"));
  const long process = number_in("WATCHDOG_PID");
  forget({"WATCHDOG_USEC", "WATCHDOG_PID"});
  const bool ours = process == -1 || process == ::getpid();
  return ours && period.count() > 0 ? std::optional(period) : std::nullopt;
}

std::vector<UniqueFd> inherited_sockets() {
  std::vector<UniqueFd> sockets;
  if (number_in("LISTEN_PID") == ::getpid()) {
    const int count = static_cast<int>(std::min<long>(number_in("LISTEN_FDS"), kInheritedMax));
    for (int fd = kFirstInherited; fd < kFirstInherited + count; ++fd) {
      (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
      (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
      sockets.emplace_back(fd);
    }
  }
  forget({"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"});
  return sockets;
}

}  // namespace vpnrun::service
