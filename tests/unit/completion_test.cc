// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnrun::service::openvpn {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string after(const std::string& config) {
  return complete(config).after;
}

// --- words ---

TEST(Completion, LetsNoFileChooseHowMuchOpenvpnSays) {
  for (const char* config : {"", "verb 0\n", "verb 5\nmute 1\n", "setenv opt verb 1\n"}) {
    const Completed completed = complete(config);
    EXPECT_THAT(completed.after, EndsWith("verb 3\nmute 0\n")) << config;
    EXPECT_EQ(completed.text, "") << config;
  }
}

TEST(Completion, LeavesTheRestAsItIs) {
  const std::string config = "client\nnobind\n<ca>\nverb 1\n</ca>\nsetenv UV_A verb\n";
  EXPECT_EQ(complete(config).text, config);
}

// --- ciphers ---

TEST(Completion, OffersTheCipherOfAnOldFile) {
  EXPECT_THAT(after("client\ncipher AES-256-CBC\n"),
              HasSubstr("data-ciphers AES-256-GCM:AES-128-GCM:?CHACHA20-POLY1305:?AES-256-CBC\n"));
  EXPECT_THAT(after("client\ncipher BF-CBC\n"), HasSubstr(":?BF-CBC\n"));
  EXPECT_THAT(after("pull\nsetenv opt cipher AES-128-CBC\n"), HasSubstr(":?AES-128-CBC\n"));
}

TEST(Completion, OffersNothingWhereTheFileSaysWhat) {
  for (const char* config :
       {"client\n", "client\ncipher AES-256-CBC\ndata-ciphers AES-256-GCM\n",
        "client\ncipher AES-256-CBC\nncp-ciphers AES-256-GCM\n", "client\ncipher aes-256-gcm\n",
        "client\ncipher none\n", "client\ncipher A:none\n", "cipher AES-256-CBC\n"}) {
    EXPECT_THAT(after(config), Not(HasSubstr("data-ciphers"))) << config;
  }
}

// --- liveness ---

TEST(Completion, WatchesAServerThatTheFileWouldNotWatch) {
  for (const char* config : {"client\n", "client\nping 15\nping-restart 0\n", "pull\nping-exit 0\n",
                             "client\nkeepalive 15 0\n"}) {
    EXPECT_THAT(after(config), HasSubstr("ping 15\nping-restart 120\n")) << config;
  }
}

TEST(Completion, KeepsTheNumbersOfTheFileWithinLimits) {
  EXPECT_THAT(after("client\nkeepalive 10 60\n"), HasSubstr("ping 10\nping-restart 60\n"));
  EXPECT_THAT(after("client\nping-restart 30\n"), HasSubstr("ping-restart 30\n"));
  EXPECT_THAT(after("client\nping-restart 3600\n"), HasSubstr("ping-restart 180\n"));
  EXPECT_THAT(after("client\nping-exit 60\n"), HasSubstr("ping-restart 60\n"));
  EXPECT_THAT(complete("client\nping-exit 60\nkeepalive 1 2\nping 3\n").text, "client\n");
}

TEST(Completion, LetsNoServerSwitchTheWatchOff) {
  const std::string before = complete("client\npull-filter accept p\n").before;
  EXPECT_THAT(before, HasSubstr("pull-filter ignore \"ping-restart 0\"\n"));
  EXPECT_THAT(before, HasSubstr("pull-filter ignore ping-exit\n"));
}

TEST(Completion, WatchesNoPeerThatMayNeverSayAnything) {
  EXPECT_THAT(after("secret x\n"), Not(HasSubstr("ping")));
  EXPECT_THAT(after("ping 10\nping-restart 60\n"), HasSubstr("ping 10\nping-restart 60\n"));
  EXPECT_EQ(complete("secret x\n").before, "");
}

// --- log-ins ---

TEST(Completion, TellsTheServerThatLinksAreShown) {
  EXPECT_THAT(after("client\n"), HasSubstr("setenv IV_SSO webauth,openurl,crtext\n"));
  EXPECT_THAT(after("client\nsetenv IV_SSO webauth\n"), Not(HasSubstr("IV_SSO")));
  EXPECT_THAT(after("secret x\n"), Not(HasSubstr("IV_SSO")));
}

}  // namespace
}  // namespace vpnrun::service::openvpn
