// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/peer_socket.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vpnrun::service {
namespace {

#ifdef SO_PASSRIGHTS
constexpr int kPassRights = SO_PASSRIGHTS;
#else
constexpr int kPassRights = 83;  // asm-generic/socket.h
#endif

/// For this connection, from its beginning: it has the listener's setting of that moment.
bool kernel_refuses_descriptors(int fd) noexcept {
  int passes = 1;
  socklen_t size = sizeof passes;
  return ::getsockopt(fd, SOL_SOCKET, kPassRights, &passes, &size) == 0 && passes == 0;
}

/// A process that ends when it may hold the last reference to the connection, and not before.
void close_by_another_process(UniqueFd fd) noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    (void)fd.release();  // one descriptor lost; better than to wait for ever
    return;
  }
  const UniqueFd wait_end(ends[0]);
  UniqueFd go_end(ends[1]);
  const pid_t parent_of_it = ::fork();
  if (parent_of_it == 0) {
    if (::fork() == 0) {
      go_end.reset();
      char none = 0;
      [[maybe_unused]] const ssize_t end = ::read(wait_end.get(), &none, sizeof none);
    }
    ::_exit(0);  // no destructor: they would close
  }
  if (parent_of_it < 0) {
    (void)fd.release();
    return;
  }
  (void)::waitpid(parent_of_it, nullptr, 0);  // it ends at once
  fd.reset();
  go_end.reset();
}

}  // namespace

void refuse_descriptors(int socket_fd) noexcept {
  const int off = 0;
  (void)::setsockopt(socket_fd, SOL_SOCKET, kPassRights, &off, sizeof off);
}

PeerSocket& PeerSocket::operator=(PeerSocket&& other) noexcept {
  if (this != &other) {
    hang_up();
    fd_ = std::move(other.fd_);
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
  // No more than was looked at: what came meanwhile may be of the other kind.
  return there <= 0 ? there
                    : ::recv(fd_.get(), into.data(), static_cast<std::size_t>(there), MSG_DONTWAIT);
}

void PeerSocket::hang_up() noexcept {
  if (!fd_.ok()) {
    return;
  }
  (void)::shutdown(fd_.get(), SHUT_RDWR);  // nothing more comes in
  int unread = 0;
  if ((::ioctl(fd_.get(), SIOCINQ, &unread) == 0 && unread == 0) ||
      kernel_refuses_descriptors(fd_.get())) {
    fd_.reset();
  } else {
    close_by_another_process(std::move(fd_));
  }
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

void close_listener(UniqueFd listener) noexcept {
  if (!listener.ok()) {
    return;
  }
  (void)::shutdown(listener.get(), SHUT_RDWR);  // who comes now is refused
  uid_t uid = 0;
  while (accept_peer(listener.get(), uid).ok()) {
  }
}

}  // namespace vpnrun::service
