// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/no_tunnel.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/fakes/test_clock.h"

namespace vpnrun::service {
namespace {

class NoTunnelTest : public testing::Test {
 protected:
  NoTunnelTest() {
    TunnelEvents events;
    events.connected = [this](const TunnelSettings& settings) {
      EXPECT_EQ(settings, TunnelSettings());
      ++connections_;
    };
    events.ended = [](const Failure& failure) { ADD_FAILURE() << failure.error; };
    events.noticed = events.ended;
    events.asks = [](const auto&) { ADD_FAILURE(); };
    client_ = std::make_unique<NoTunnel>(clock_, std::move(events));
  }
  TestClock clock_;
  std::unique_ptr<TunnelClient> client_;
  int connections_ = 0;
};

TEST_F(NoTunnelTest, ConnectsInTheNextTurnWithoutAServer) {
  EXPECT_TRUE(client_->servers().empty());
  EXPECT_EQ(client_->connect({}), std::nullopt);
  EXPECT_EQ(connections_, 0) << "not from within the call";
  clock_.turn();
  EXPECT_EQ(connections_, 1);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(connections_, 1);
}

TEST_F(NoTunnelTest, SaysNothingOnceItIsStopped) {
  for (const auto& stop : {&TunnelClient::stop, &TunnelClient::forget}) {
    (void)client_->connect({});
    (client_.get()->*stop)();
    clock_.turn();
  }
  EXPECT_EQ(connections_, 0);
  (void)client_->connect({});
  clock_.turn();
  EXPECT_EQ(connections_, 1);
}

TEST_F(NoTunnelTest, HasNothingThatASleepCouldTake) {
  (void)client_->connect({});
  EXPECT_FALSE(client_->drop());
  clock_.turn();
  EXPECT_EQ(connections_, 1);
}

TEST_F(NoTunnelTest, HasNoQuestionThatCouldBeAnswered) {
  EXPECT_THROW(client_->answer({}), Error);
}

}  // namespace
}  // namespace vpnrun::service
