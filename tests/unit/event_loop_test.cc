// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> fds{};
    ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_.reset(fds[0]);
    write_.reset(fds[1]);
  }
  UniqueFd read_;
  UniqueFd write_;
  EventLoop loop_;
};

TEST_F(EventLoopTest, RunsTimersInTheOrderTheyAreDue) {
  std::vector<int> order;
  const auto late = loop_.after(milliseconds(20), [&] {
    order.push_back(2);
    loop_.stop();
  });
  const auto early = loop_.after(milliseconds(1), [&] { order.push_back(1); });
  loop_.run();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, CallsBackForAReadyDescriptor) {
  std::uint32_t seen = 0;
  const auto watch = loop_.watch(read_.get(), EPOLLIN, [&](std::uint32_t events) {
    seen = events;
    loop_.stop();
  });
  ASSERT_EQ(::write(write_.get(), "x", 1), 1);
  loop_.run();
  EXPECT_NE(seen & EPOLLIN, 0U);
}

TEST_F(EventLoopTest, ForgetsAWatchWhoseHandleIsGone) {
  bool called = false;
  {
    const auto watch = loop_.watch(read_.get(), EPOLLIN, [&](std::uint32_t) { called = true; });
  }
  ASSERT_EQ(::write(write_.get(), "x", 1), 1);
  const auto end = loop_.after(milliseconds(5), [&] { loop_.stop(); });
  loop_.run();
  EXPECT_FALSE(called);
}

TEST_F(EventLoopTest, LetsACallbackEndItsOwnWatch) {
  int calls = 0;
  EventLoop::Handle watch;
  watch = loop_.watch(read_.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    watch.reset();
  });
  ASSERT_EQ(::write(write_.get(), "x", 1), 1);
  const auto end = loop_.after(milliseconds(5), [&] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, PassesOnTheExceptionOfACallback) {
  const auto timer = loop_.after(milliseconds(0), [] { throw Error("no"); });
  EXPECT_THROW(loop_.run(), Error);
}

}  // namespace
}  // namespace vpnrun::service
