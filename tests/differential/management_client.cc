// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/management_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "profiles/base/error.h"
#include "tests/differential/openvpn_program.h"

namespace vpnrun::differential {
namespace {

UniqueFd listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw Error(formatted("'{}' is too long for a socket", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.ok() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    throw_errno("cannot listen at '{}'", path);
  }
  return fd;
}

void wait_for(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, kPatienceMs) <= 0) {
    throw Error("OpenVPN does not answer");
  }
}

pid_t start(const std::string& path) {
  std::string identity = "AA";
  for (int i = 1; i < 32; ++i) {
    identity += ":AA";
  }
  const std::array<const char*, 16> arguments = {"openvpn",
                                                 "--dev",
                                                 "null",
                                                 "--remote",
                                                 "a.example",
                                                 "--client",
                                                 "--auth-user-pass",
                                                 "--peer-fingerprint",
                                                 identity.c_str(),
                                                 "--management",
                                                 path.c_str(),
                                                 "unix",
                                                 "--management-client",
                                                 "--management-hold",
                                                 "--management-query-passwords",
                                                 nullptr};
  const std::array<const char*, 2> environment = {"LC_ALL=C", nullptr};
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (::dup2(null, 0) == 0 && ::dup2(null, 1) == 1 && ::dup2(null, 2) == 2) {
      ::execve(kProgram, const_cast<char* const*>(arguments.data()),
               const_cast<char* const*>(environment.data()));
    }
    ::_exit(127);
  }
  if (child < 0) {
    throw_errno("cannot start a process");
  }
  return child;
}

}  // namespace

ManagementClient::ManagementClient(const std::string& folder) {
  const std::string path = folder + "/management";
  const UniqueFd listener = listen_on(path);
  process_ = start(path);
  try {
    wait_for(listener.get());
    connection_.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    while (!line().starts_with(">HOLD:")) {
    }
  } catch (const Error&) {
    (void)::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
    (void)::unlink(path.c_str());
    throw;
  }
  (void)::unlink(path.c_str());
}

ManagementClient::~ManagementClient() {
  (void)::kill(process_, SIGKILL);
  (void)::waitpid(process_, nullptr, 0);
}

std::string ManagementClient::line() {
  std::array<char, 4096> buffer{};
  while (pending_.find('\n') == std::string::npos) {
    wait_for(connection_.get());
    const ssize_t got = ::read(connection_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      throw Error("OpenVPN has closed its management connection");
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t end = pending_.find('\n');
  std::string text = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  return text;
}

std::optional<std::string> ManagementClient::argument(std::string_view quoted) {
  constexpr std::string_view kStart = "ERROR: signal '";
  constexpr std::string_view kEnd = "' is not a known signal type";
  const std::string command = formatted("signal {}\npid\n", quoted);
  if (::send(connection_.get(), command.data(), command.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(command.size())) {
    throw_errno("cannot talk to OpenVPN");
  }
  std::optional<std::string> seen;
  // The answer to the second command ends that to the first, whatever it is.
  for (std::string text = line(); !text.starts_with("SUCCESS: pid="); text = line()) {
    if (text.starts_with(kStart) && text.ends_with(kEnd)) {
      seen = text.substr(kStart.size(), text.size() - kStart.size() - kEnd.size());
    }
  }
  return seen;
}

}  // namespace vpnrun::differential
