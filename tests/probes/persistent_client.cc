// SPDX-License-Identifier: GPL-2.0-or-later
// An application that never gives up: at every tick it sends a datagram and asks a web server for
// its own address, over IPv4 and IPv6, whatever happened before. It is what runs while the tests
// kill things.
//
//   persistent_client SECONDS INTERVAL_MS ADDRESS…
//
// Each tick writes one line per ADDRESS to standard output:
//   MILLISECONDS PID ADDRESS ok ANSWER
//   MILLISECONDS PID ADDRESS error STRERROR
// The time is the wall clock at the end of the attempt. An attempt is given up ("error Connection
// timed out") after kAttemptMs.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun {
namespace {

constexpr int kAttemptMs = 300;
constexpr std::uint16_t kWebPort = 80;
constexpr std::uint16_t kDiscardPort = 9;

struct Address {
  std::string text;
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Address parse_address(const char* text, std::uint16_t port) {
  Address address{.text = text};
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.length = sizeof(v4);
    std::memcpy(&address.storage, &v4, sizeof(v4));
  } else if (::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.length = sizeof(v6);
    std::memcpy(&address.storage, &v6, sizeof(v6));
  }
  return address;
}

const sockaddr* generic(const Address& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address.storage));
}

std::string error_text(int error_number) {
  return "error " + std::generic_category().message(error_number);
}

// One datagram without a connection, so that no earlier failure holds it back.
void send_datagram(const Address& to) {
  const UniqueFd fd(::socket(to.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view kPayload = "persistent";
  (void)::sendto(fd.get(), kPayload.data(), kPayload.size(), 0, generic(to), to.length);
}

// Waits until `fd` is ready for `events`; 0, or the error.
int wait_ready(int fd, short events) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  const int ready = ::poll(&entry, 1, kAttemptMs);
  if (ready < 0) {
    return errno;
  }
  return ready == 0 ? ETIMEDOUT : 0;
}

int finish_connect(int fd) {
  if (const int error = wait_ready(fd, POLLOUT); error != 0) {
    return error;
  }
  int error = 0;
  socklen_t length = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

std::string read_answer(int fd) {
  std::string all;
  std::vector<char> buffer(1024);
  for (;;) {
    if (const int error = wait_ready(fd, POLLIN); error != 0) {
      return error_text(error);
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) {
      return error_text(errno);
    }
    if (got == 0) {
      break;
    }
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t body = all.find("\r\n\r\n");
  if (body == std::string::npos) {
    return "error empty answer";
  }
  return "ok " + all.substr(body + 4, all.find('\n', body + 4) - body - 4);
}

std::string ask(const Address& web) {
  const UniqueFd fd(::socket(web.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(fd.get(), generic(web), web.length) < 0 && errno != EINPROGRESS) {
    return error_text(errno);
  }
  if (const int error = finish_connect(fd.get()); error != 0) {
    return error_text(error);
  }
  constexpr std::string_view kRequest = "GET / HTTP/1.0\r\n\r\n";
  if (::send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
    return error_text(errno);
  }
  return read_answer(fd.get());
}

long long now_ms() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  using std::chrono::system_clock;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

int run(std::span<char*> args) {
  if (args.size() < 4) {
    (void)std::fputs("usage: persistent_client SECONDS INTERVAL_MS ADDRESS...\n", stderr);
    return 2;
  }
  const long long end = now_ms() + 1000 * std::strtoll(args[1], nullptr, 10);
  const std::chrono::milliseconds interval(std::strtoll(args[2], nullptr, 10));
  while (now_ms() < end) {
    for (const char* text : args.subspan(3)) {
      send_datagram(parse_address(text, kDiscardPort));
      const std::string result = ask(parse_address(text, kWebPort));
      (void)std::printf("%lld %d %s %s\n", now_ms(), ::getpid(), text, result.c_str());
    }
    (void)std::fflush(stdout);
    std::this_thread::sleep_for(interval);
  }
  return 0;
}

}  // namespace
}  // namespace vpnrun

int main(int argc, char* argv[]) {
  return vpnrun::run(std::span<char*>(argv, static_cast<std::size_t>(argc)));
}
