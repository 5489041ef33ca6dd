// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "helper/base/unique_fd.h"

namespace vpnrun::service {

/// Makes the kernel refuse descriptors when they are sent to this socket (SO_PASSRIGHTS, since
/// Linux 6.16; no effect before). On a listening socket this applies to the connections that are
/// made from then on; if systemd made it, the connection that starts the companion was made before
/// that.
void refuse_descriptors(int socket_fd) noexcept;

/// A Unix stream connection to somebody who is not trusted.
///
/// A process that receives a message, or closes a socket with unread ones, closes the descriptors
/// in them, and the last close of a descriptor may take as long as its sender likes: a TCP socket
/// that lingers (SO_LINGER in socket(7)). So messages with descriptors are not received, and what
/// is unread when the connection ends is left to a process that is exiting: in such a process the
/// kernel does not wait.
///
/// This requires that no byte is out of band: one sent with MSG_OOB, which carries descriptors like
/// any other, would be skipped by MSG_PEEK and dropped by the next recv(2). SO_OOBINLINE is set
/// before anything is read, so that such a byte is part of the stream.
class PeerSocket {
 public:
  PeerSocket() noexcept = default;
  /// Takes over a connection from which nothing has been read.
  explicit PeerSocket(UniqueFd fd) noexcept;
  PeerSocket(PeerSocket&&) noexcept = default;
  PeerSocket& operator=(PeerSocket&& other) noexcept;
  PeerSocket(const PeerSocket&) = delete;
  PeerSocket& operator=(const PeerSocket&) = delete;
  ~PeerSocket() { hang_up(); }

  [[nodiscard]] bool ok() const noexcept { return fd_.ok(); }
  [[nodiscard]] int get() const noexcept { return fd_.get(); }

  /// recv(2) without waiting; -1 with EBADMSG, and nothing taken, if the next data come with
  /// descriptors: hang up then.
  [[nodiscard]] ssize_t receive(std::span<char> into) noexcept;

  /// Ends the connection, without waiting for anybody.
  void hang_up() noexcept;

 private:
  friend bool hang_up_on(std::span<PeerSocket> connections) noexcept;
  /// Shuts it down and closes it; if unread descriptors may be in it, returns it open instead.
  [[nodiscard]] UniqueFd end() noexcept;

  UniqueFd fd_;
  bool never_took_any_ = false;  ///< the kernel refused descriptors from the first byte on
};

/// hang_up() for all of them, with at most one process for what they hold. Returns whether that was
/// needed.
bool hang_up_on(std::span<PeerSocket> connections) noexcept;

/// Accepts the next connection, close-on-exec and non-blocking, and sets `uid` to the user who
/// connected (SO_PEERCRED in unix(7)). Not ok() if there is none, or if its user cannot be
/// determined.
[[nodiscard]] PeerSocket accept_peer(int listener_fd, uid_t& uid) noexcept;

/// The groups of whoever connected, the effective one first (SO_PEERCRED, SO_PEERGROUPS in
/// socket(7)). Empty if they cannot be determined.
[[nodiscard]] std::vector<gid_t> groups_of_peer(int socket_fd);

/// Closes a listening socket, and hangs up on connections that wait to be accepted.
void close_listener(UniqueFd listener) noexcept;

}  // namespace vpnrun::service
