// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/network_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using Bytes = std::vector<unsigned char>;

/// A message of the bus, little-endian: what it is, which question it answers, and its body.
Bytes message(unsigned char type, unsigned char answers, const Bytes& body) {
  Bytes bytes = {'l', type, 1, 1, static_cast<unsigned char>(body.size()), 0, 0, 0, 7, 0, 0, 0,
                 // Header fields: the serial that it answers, and who sends it (":1.2").
                 24, 0, 0, 0, 5, 1, 'u', 0, answers, 0, 0, 0, 7, 1, 's', 0, 4, 0, 0, 0, ':', '1',
                 '.', '2', 0};
  bytes[12] = 21;
  bytes.resize(16 + 24);  // the body begins at a multiple of eight
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

/// A variant with a number.
Bytes number(unsigned char value) {
  return {1, 'u', 0, 0, value, 0, 0, 0};
}

TEST(NetworkManager, TheQuestionIsTwoWellFormedMessages) {
  const Bytes question = nm_question();
  const auto hello = read_nm_answer(question);
  ASSERT_GT(hello.size, 0U);
  ASSERT_LT(hello.size, question.size());
  const auto get = read_nm_answer(std::span(question).subspan(hello.size));
  EXPECT_EQ(hello.size + get.size, question.size());
  EXPECT_FALSE(get.is_last);
  const std::string text(question.begin(), question.end());
  EXPECT_NE(text.find("Connectivity"), std::string::npos);
  EXPECT_EQ(question[2], 2) << "nothing is started for it";
}

TEST(NetworkManager, ReadsWhatWasFoundOut) {
  const Bytes bytes = message(2, 2, number(2));
  const auto answer = read_nm_answer(bytes);
  EXPECT_EQ(answer.size, bytes.size());
  EXPECT_TRUE(answer.is_last);
  EXPECT_EQ(answer.connectivity, Connectivity::kPortal);
  EXPECT_EQ(read_nm_answer(message(2, 2, number(4))).connectivity, Connectivity::kFull);
  EXPECT_EQ(read_nm_answer(message(2, 2, number(9))).connectivity, Connectivity::kUnknown);
}

TEST(NetworkManager, OtherMessagesAreNoAnswer) {
  EXPECT_FALSE(read_nm_answer(message(2, 1, number(2))).is_last) << "to Hello";
  EXPECT_FALSE(read_nm_answer(message(4, 2, number(2))).is_last) << "a signal";
  const auto refusal = read_nm_answer(message(3, 2, {}));
  EXPECT_TRUE(refusal.is_last);
  EXPECT_FALSE(refusal.connectivity);
}

TEST(NetworkManager, WhatIsCutIsWaitedForAndWhatIsDamagedRefused) {
  const Bytes bytes = message(2, 2, number(2));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(read_nm_answer(std::span(bytes).first(size)).size, 0U);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int value : {0, 1, 0x7f, 0xff}) {
      Bytes damaged = bytes;
      damaged[i] = static_cast<unsigned char>(value);
      try {
        (void)read_nm_answer(damaged);
      } catch (const Error&) {  // refused, and nothing was read beyond the end
      }
    }
  }
  Bytes large = bytes;
  large[6] = 1;
  EXPECT_THROW((void)read_nm_answer(large), Error);
}

/// A bus that does what `talk` does with its first caller.
class FakeBus {
 public:
  explicit FakeBus(std::function<void(int)> talk) : talk_(std::move(talk)) {
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(static_cast<char*>(address.sun_path), path().size());
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::bind(listener_.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address);
    (void)::listen(listener_.get(), 1);
    thread_ = std::thread([this] {
      const UniqueFd caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (caller.ok()) {
        talk_(caller.get());
      }
    });
  }
  FakeBus(const FakeBus&) = delete;
  FakeBus& operator=(const FakeBus&) = delete;
  FakeBus(FakeBus&&) = delete;
  FakeBus& operator=(FakeBus&&) = delete;
  ~FakeBus() {
    (void)::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string path() const { return (folder_ / "bus").string(); }

 private:
  test::ScratchFolder folder_;
  std::function<void(int)> talk_;
  UniqueFd listener_;
  std::thread thread_;
};

/// Reads until that has come.
void read_until(int fd, const std::string& end) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.find(end) == std::string::npos) {
    const ::ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size <= 0) {
      return;
    }
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void say(int fd, const Bytes& bytes) {
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

TEST(NetworkManager, IsAskedOverTheBus) {
  const FakeBus bus([](int fd) {
    read_until(fd, "AUTH EXTERNAL ");
    say(fd, {'O', 'K', ' ', '1', '2', '\r', '\n'});
    read_until(fd, "Connectivity");
    say(fd, message(2, 1, {}));
    Bytes answer = message(2, 2, number(2));
    say(fd, {answer.begin(), answer.begin() + 20});
    say(fd, {answer.begin() + 20, answer.end()});
    read_until(fd, "for ever");
  });
  EXPECT_EQ(nm_connectivity(bus.path(), std::chrono::seconds(60)), Connectivity::kPortal);
}

TEST(NetworkManager, ABusThatSaysNothingOrTooMuchIsLeft) {
  const FakeBus silent([](int fd) { read_until(fd, "for ever"); });
  EXPECT_EQ(nm_connectivity(silent.path(), std::chrono::milliseconds(50)), std::nullopt);
  const FakeBus refusing([](int fd) {
    say(fd, {'R', 'E', 'J', 'E', 'C', 'T', 'E', 'D', '\r', '\n'});
    read_until(fd, "for ever");
  });
  EXPECT_EQ(nm_connectivity(refusing.path(), std::chrono::seconds(60)), std::nullopt);
  const FakeBus flooding([](int fd) { say(fd, Bytes(100'000, 'x')); });
  EXPECT_EQ(nm_connectivity(flooding.path(), std::chrono::seconds(60)), std::nullopt);
}

TEST(NetworkManager, WithoutABusNothingIsKnown) {
  const test::ScratchFolder folder;
  EXPECT_EQ(nm_connectivity((folder / "absent").string()), std::nullopt);
}

}  // namespace
}  // namespace vpnrun::service
