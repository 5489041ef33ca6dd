// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/peer_socket.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "systemd/service/os/rights.h"

namespace vpnrun::service {
namespace {

#ifdef SO_PASSRIGHTS
constexpr int kPassRights = SO_PASSRIGHTS;
#else
constexpr int kPassRights = 83;  // asm-generic/socket.h
#endif

/// Whether the kernel has refused descriptors on this connection so far: nobody has set it here
/// yet, so it has what its listener had when the connection was made.
bool kernel_refuses_descriptors(int fd) noexcept {
  int passes = 1;
  socklen_t size = sizeof passes;
  return ::getsockopt(fd, SOL_SOCKET, kPassRights, &passes, &size) == 0 && passes == 0;
}

/// Leaves the connections to another process, which ends as soon as it may hold the last references
/// to them, and not before.
void close_by_another_process(std::vector<UniqueFd>& fds) noexcept {
  const auto leave = [&fds] {
    for (auto& fd : fds) {
      (void)fd.release();  // lost, which is better than to wait for ever
    }
  };
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    leave();
    return;
  }
  const UniqueFd wait_end(ends[0]);
  UniqueFd go_end(ends[1]);
  const pid_t parent_of_it = ::fork();
  if (parent_of_it == 0) {
    if (::fork() == 0) {
      try {
        std::vector<int> kept = {wait_end.get()};
        std::transform(fds.begin(), fds.end(), std::back_inserter(kept),
                       [](const UniqueFd& fd) { return fd.get(); });
        close_all_but(kept);
        keep_capabilities({});
      } catch (const std::exception&) {
        ::_exit(1);
      }
      char none = 0;
      [[maybe_unused]] const ssize_t end = ::read(wait_end.get(), &none, sizeof none);
    }
    ::_exit(0);  // without destructors, which would close them
  }
  if (parent_of_it < 0) {
    leave();
    return;
  }
  (void)::waitpid(parent_of_it, nullptr, 0);  // it ends at once
  fds.clear();
  go_end.reset();
}

}  // namespace

void refuse_descriptors(int socket_fd) noexcept {
  const int off = 0;
  (void)::setsockopt(socket_fd, SOL_SOCKET, kPassRights, &off, sizeof off);
}

PeerSocket::PeerSocket(UniqueFd fd) noexcept
    : fd_(std::move(fd)), never_took_any_(fd_.ok() && kernel_refuses_descriptors(fd_.get())) {
  if (fd_.ok()) {
    const int on = 1;
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    refuse_descriptors(fd_.get());  // from here on, if the listener did not yet do so
  }
}

PeerSocket& PeerSocket::operator=(PeerSocket&& other) noexcept {
  if (this != &other) {
    hang_up();
    fd_ = std::move(other.fd_);
    never_took_any_ = other.never_took_any_;
  }
  return *this;
}

ssize_t PeerSocket::receive(std::span<char> into) noexcept {
  iovec part{into.data(), into.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t there = ::recvmsg(fd_.get(), &message, MSG_PEEK | MSG_DONTWAIT);
  if (there > 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
    errno = EBADMSG;
    return -1;
  }
  // No more than was peeked at: what has come since may have descriptors.
  return there <= 0 ? there
                    : ::recv(fd_.get(), into.data(), static_cast<std::size_t>(there), MSG_DONTWAIT);
}

UniqueFd PeerSocket::end() noexcept {
  if (!fd_.ok()) {
    return {};
  }
  (void)::shutdown(fd_.get(), SHUT_RDWR);  // nothing more comes in
  int unread = 0;
  if (never_took_any_ || (::ioctl(fd_.get(), SIOCINQ, &unread) == 0 && unread == 0)) {
    fd_.reset();
  }
  return std::move(fd_);
}

void PeerSocket::hang_up() noexcept {
  (void)hang_up_on({this, 1});
}

bool hang_up_on(std::span<PeerSocket> connections) noexcept {
  std::vector<UniqueFd> laden;
  for (auto& connection : connections) {
    UniqueFd fd = connection.end();
    if (fd.ok()) {
      laden.push_back(std::move(fd));
    }
  }
  if (laden.empty()) {
    return false;
  }
  close_by_another_process(laden);
  return true;
}

PeerSocket accept_peer(int listener_fd, uid_t& uid) noexcept {
  PeerSocket connection(
      UniqueFd(::accept4(listener_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (connection.ok() &&
      ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    connection.hang_up();
  }
  uid = peer.uid;
  return connection;
}

std::vector<gid_t> groups_of_peer(int socket_fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  socklen_t bytes = 0;
  if (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &bytes) != 0 &&
       errno != ERANGE)) {
    return {};
  }
  std::vector<gid_t> groups(1 + bytes / sizeof(gid_t), peer.gid);
  if (bytes != 0 &&
      ::getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, groups.data() + 1, &bytes) != 0) {
    return {};
  }
  return groups;
}

void close_listener(UniqueFd listener) noexcept {
  if (!listener.ok()) {
    return;
  }
  (void)::shutdown(listener.get(), SHUT_RDWR);  // whoever comes now is refused
  uid_t uid = 0;
  std::vector<PeerSocket> waiting;
  for (PeerSocket next = accept_peer(listener.get(), uid); next.ok();
       next = accept_peer(listener.get(), uid)) {
    waiting.push_back(std::move(next));
  }
  (void)hang_up_on(waiting);
}

}  // namespace vpnrun::service
