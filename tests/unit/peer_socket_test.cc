// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/peer_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/old_kernel.h"

namespace vpnrun::service {
namespace {

constexpr int kOutOfBand = MSG_OOB;

struct Ends {
  UniqueFd ours;  // what is sent before it becomes a PeerSocket was there before the companion
  UniqueFd theirs;
};

Ends connected() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Sends `text` and, unless it is -1, a descriptor with it.
bool send(int socket_fd, std::string_view text, int fd = -1, int flags = 0) {
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
  return ::sendmsg(socket_fd, &message, MSG_NOSIGNAL | flags) == static_cast<ssize_t>(text.size());
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

// Whether the pipe of which `read_end` is one end has another one somewhere.
bool is_held(const UniqueFd& read_end, int patience_ms) {
  pollfd waiting{read_end.get(), POLLIN, 0};
  return ::poll(&waiting, 1, patience_ms) == 0;
}

enum class Kernel : std::uint8_t { kThisOne, kBefore616 };

/// Each promise, on a kernel that may refuse descriptors at their sender and on one that does not.
class PeerSocketTest : public testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (GetParam() == Kernel::kBefore616) {
      ASSERT_TRUE(test::without_pass_rights());
    }
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    read_end_.reset(pipe[0]);
    gift_.reset(pipe[1]);
  }

  Ends ends_ = connected();
  UniqueFd read_end_;
  UniqueFd gift_;
};

TEST_P(PeerSocketTest, ReceivesWhatComesWithoutDescriptors) {
  PeerSocket ours(std::move(ends_.ours));
  EXPECT_EQ(received(ours), message_of(EAGAIN));
  ASSERT_TRUE(send(ends_.theirs.get(), "first "));
  ASSERT_TRUE(send(ends_.theirs.get(), "second"));
  EXPECT_EQ(received(ours), "first second");
  ends_.theirs.reset();
  EXPECT_EQ(received(ours), "");
}

TEST_P(PeerSocketTest, ReceivesBytesOutOfBandInTheirPlace) {
  PeerSocket ours(std::move(ends_.ours));
  ASSERT_TRUE(send(ends_.theirs.get(), "half "));
  ASSERT_TRUE(send(ends_.theirs.get(), "a", -1, kOutOfBand));
  ASSERT_TRUE(send(ends_.theirs.get(), " line"));
  std::string all;
  for (std::string part = received(ours); part != message_of(EAGAIN); part = received(ours)) {
    all += part;
  }
  EXPECT_EQ(all, "half a line");
}

TEST_P(PeerSocketTest, TakesNoDescriptor) {
  ASSERT_TRUE(send(ends_.theirs.get(), "plain"));
  ASSERT_TRUE(send(ends_.theirs.get(), "gift", gift_.get()));
  gift_.reset();
  PeerSocket ours(std::move(ends_.ours));
  std::string seen = received(ours);
  if (seen == "plain") {
    seen = received(ours);
  }
  EXPECT_EQ(seen, message_of(EBADMSG));
  EXPECT_TRUE(is_held(read_end_, 0)) << "the descriptor is still on its way";
  ours.hang_up();
  EXPECT_FALSE(is_held(read_end_, 10'000)) << "and is gone with the connection";
}

// A look at what comes next skips such a byte, and recv(2) drops what came with it.
TEST_P(PeerSocketTest, TakesNoDescriptorThatComesOutOfBand) {
  ASSERT_TRUE(send(ends_.theirs.get(), "!", gift_.get(), kOutOfBand));
  ASSERT_TRUE(send(ends_.theirs.get(), "request"));
  gift_.reset();
  PeerSocket ours(std::move(ends_.ours));
  EXPECT_EQ(received(ours), message_of(EBADMSG));
  EXPECT_EQ(received(ours), message_of(EBADMSG));
  EXPECT_TRUE(is_held(read_end_, 0)) << "the descriptor is still on its way";
  ours.hang_up();
  EXPECT_FALSE(is_held(read_end_, 10'000)) << "and is gone with the connection";
}

TEST_P(PeerSocketTest, TakesNoDescriptorOutOfBandBehindAnother) {
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(send(ends_.theirs.get(), "x", -1, kOutOfBand));
  ASSERT_TRUE(send(ends_.theirs.get(), "y", gift_.get(), kOutOfBand));
  ASSERT_TRUE(send(ends_.theirs.get(), "z", null.get(), kOutOfBand));
  gift_.reset();
  PeerSocket ours(std::move(ends_.ours));
  std::string seen = received(ours);
  while (seen == "x") {
    seen = received(ours);
  }
  EXPECT_EQ(seen, message_of(EBADMSG));
  EXPECT_TRUE(is_held(read_end_, 0));
}

// Killed by the alarm if it waits.
TEST_P(PeerSocketTest, HangsUpWithoutWaitingForADescriptorThatLingers) {
  for (const int flags : {0, kOutOfBand}) {
    Ends ends = connected();
    UniqueFd listener;
    UniqueFd full = lingering(listener);
    ASSERT_TRUE(send(ends.theirs.get(), "!", full.get(), flags));
    ASSERT_TRUE(send(ends.theirs.get(), "request"));
    (void)::alarm(20);
    // Not the last close: the message holds another one.
    full.reset();
    PeerSocket ours(std::move(ends.ours));
    EXPECT_EQ(received(ours), message_of(EBADMSG));
    ours.hang_up();
    (void)::alarm(0);
    EXPECT_FALSE(ours.ok());
  }
}

TEST_P(PeerSocketTest, HangsUpOnManyWithOneProcess) {
  std::vector<UniqueFd> peers;
  std::vector<PeerSocket> connections;
  for (int i = 0; i < 20; ++i) {
    Ends ends = connected();
    ASSERT_TRUE(send(ends.theirs.get(), "gift", gift_.get()));
    connections.emplace_back(std::move(ends.ours));
    peers.push_back(std::move(ends.theirs));
  }
  gift_.reset();
  EXPECT_TRUE(hang_up_on(connections));
  EXPECT_FALSE(hang_up_on(connections)) << "there is nothing more to end";
  EXPECT_FALSE(is_held(read_end_, 10'000));
}

TEST_P(PeerSocketTest, HearsFromTheKernelThatDescriptorsAreRefused) {
  refuse_descriptors(ends_.ours.get());
  PeerSocket ours(std::move(ends_.ours));
  const bool passed = send(ends_.theirs.get(), "gift", gift_.get());
  if (passed) {  // before Linux 6.16 they come, and are not taken
    EXPECT_EQ(received(ours), message_of(EBADMSG));
  } else {
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(GetParam(), Kernel::kThisOne);
    EXPECT_FALSE(hang_up_on({&ours, 1})) << "no process is needed";
  }
}

// The one that starts the companion: the kernel refuses more of it, and took what came before.
TEST_P(PeerSocketTest, DoesNotBelieveThatAnOlderConnectionIsWithoutDescriptors) {
  ASSERT_TRUE(send(ends_.theirs.get(), "gift", gift_.get()));
  PeerSocket ours(std::move(ends_.ours));
  gift_.reset();
  EXPECT_TRUE(hang_up_on({&ours, 1}));
}

INSTANTIATE_TEST_SUITE_P(Kernels, PeerSocketTest,
                         testing::Values(Kernel::kThisOne, Kernel::kBefore616),
                         [](const auto& kernel) {
                           return kernel.param == Kernel::kThisOne ? "ThisKernel" : "Before616";
                         });

}  // namespace
}  // namespace vpnrun::service
