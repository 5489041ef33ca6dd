// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/peer_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <gtest/gtest.h>

namespace vpnrun::service {
namespace {

struct Ends {
  PeerSocket ours;
  UniqueFd theirs;
};

Ends connected() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {PeerSocket(UniqueFd(fds[0])), UniqueFd(fds[1])};
}

// Sends `text` and, unless it is -1, a descriptor with it.
bool send(int socket_fd, std::string_view text, int fd = -1) {
  std::string bytes(text);
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return ::sendmsg(socket_fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string message_of(int error) {
  return std::generic_category().message(error);
}

std::string received(PeerSocket& socket) {
  std::array<char, 64> buffer{};
  const ssize_t got = socket.receive(buffer);
  return got < 0 ? message_of(errno) : std::string(buffer.data(), static_cast<std::size_t>(got));
}

// A TCP socket whose last close waits for bytes that nobody takes.
UniqueFd lingering(UniqueFd& listener) {
  listener = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), plain, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), plain, &size), 0);
  UniqueFd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(full.get(), plain, size), 0);
  const std::string much(65536, 'x');
  while (::send(full.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
  }
  const linger setting{1, 100000};
  EXPECT_EQ(::setsockopt(full.get(), SOL_SOCKET, SO_LINGER, &setting, sizeof setting), 0);
  return full;
}

TEST(PeerSocket, ReceivesWhatComesWithoutDescriptors) {
  Ends ends = connected();
  EXPECT_EQ(received(ends.ours), message_of(EAGAIN));
  ASSERT_TRUE(send(ends.theirs.get(), "first "));
  ASSERT_TRUE(send(ends.theirs.get(), "second"));
  EXPECT_EQ(received(ends.ours), "first second");
  ends.theirs.reset();
  EXPECT_EQ(received(ends.ours), "");
}

TEST(PeerSocket, TakesNoDescriptor) {
  Ends ends = connected();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  ASSERT_TRUE(send(ends.theirs.get(), "plain"));
  ASSERT_TRUE(send(ends.theirs.get(), "gift", write_end.get()));
  write_end.reset();
  std::string seen = received(ends.ours);
  if (seen == "plain") {
    seen = received(ends.ours);
  }
  EXPECT_EQ(seen, message_of(EBADMSG));
  pollfd waiting{read_end.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0) << "the descriptor is still on its way";
  ends.ours.hang_up();
  EXPECT_EQ(::poll(&waiting, 1, 10'000), 1) << "and is gone with the connection";
}

// Killed by the alarm if it waits.
TEST(PeerSocket, HangsUpWithoutWaitingForADescriptorThatLingers) {
  Ends ends = connected();
  UniqueFd listener;
  UniqueFd full = lingering(listener);
  ASSERT_TRUE(send(ends.theirs.get(), "gift", full.get()));
  (void)::alarm(20);
  // Not the last close: the message holds another one.
  full.reset();
  ends.ours.hang_up();
  (void)::alarm(0);
  EXPECT_FALSE(ends.ours.ok());
}

TEST(PeerSocket, HearsFromTheKernelThatDescriptorsAreRefused) {
  Ends ends = connected();
  refuse_descriptors(ends.ours.get());
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  // Before Linux 6.16 they come, and are not taken.
  if (send(ends.theirs.get(), "gift", null.get())) {
    EXPECT_EQ(received(ends.ours), message_of(EBADMSG));
  } else {
    EXPECT_EQ(errno, EPERM);
  }
}

}  // namespace
}  // namespace vpnrun::service
