// SPDX-License-Identifier: GPL-2.0-or-later
//
// Against a script in place of systemd-ask-password; the real one with a real agent is in
// tests/system/credentials_agents.sh.
#include "systemd/service/ask_password.h"

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class AskPasswordTest : public testing::Test {
 protected:
  AskPasswordTest() { std::filesystem::create_directory(folder_ / "agents"); }

  /// Each call notes its arguments and environment, then does what `script` says.
  std::unique_ptr<AskPassword> asking(const std::string& script) {
    const std::string calls = (folder_ / "calls").string();
    folder_.write("program",
                  "#!/bin/sh\nset -- \"$@\"; for a; do last=$a; done\n"
                  "{ echo \"$*\"; env; } >>" +
                      calls + "\n" + script);
    (void)::chmod((folder_ / "program").c_str(), 0755);
    return std::make_unique<AskPassword>(
        loop_, "work",
        [this](const ControlRequest& answer) {
          answers_.push_back(parse_request(encode(answer)));
          loop_.stop();
          if (refuse_ > 0) {
            --refuse_;
            throw Error("too long");
          }
        },
        (folder_ / "program").string(), (folder_ / "agents").string());
  }
  [[nodiscard]] std::string calls() const {
    std::ifstream file(folder_ / "calls");
    std::string text;
    for (std::string line; std::getline(file, line);) {
      text += line + "\n";
    }
    return text;
  }
  /// Until an answer came, or `text` is in what was called; false: neither, for a long time.
  bool run_until(const std::string& text = "") {
    bool over = false;
    const auto limit = loop_.after(milliseconds(20'000), [&] {
      over = true;
      loop_.stop();
    });
    EventLoop::Handle look;
    std::function<void()> poll = [&] {
      if (!text.empty() && calls().find(text) != std::string::npos) {
        loop_.stop();
      }
      look = loop_.after(milliseconds(10), poll);
    };
    poll();
    loop_.run();
    return !over;
  }
  void pass(milliseconds time) {
    const auto end = loop_.after(time, [this] { loop_.stop(); });
    loop_.run();
  }

  static std::optional<CredentialQuestion> question(std::uint64_t id = 1) {
    return CredentialQuestion{.id = id,
                              .text = "login for 'work'",
                              .wants_user_name = true,
                              .wants_response = true,
                              .challenge = "PIN\n?"};
  }

  test::ScratchFolder folder_;
  EventLoop loop_;
  std::vector<ControlRequest> answers_;
  int refuse_ = 0;
};

constexpr const char* kAnswers =
    "case $last in User*) echo foo;; Password*) echo bar;; *PIN*) echo 123;; esac\n";

TEST_F(AskPasswordTest, AsksPartByPart) {
  const auto agents = asking(kAnswers);
  agents->follow(question(), false);
  ASSERT_TRUE(run_until());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].command, Command::kAnswer);
  EXPECT_EQ(answers_[0].question_id, 1U);
  EXPECT_EQ(answers_[0].user_name, "foo");
  EXPECT_EQ(answers_[0].password, "bar");
  EXPECT_EQ(answers_[0].response, "123");
  EXPECT_THAT(calls(), HasSubstr("--echo=yes User name (login for 'work'):\n"));
  EXPECT_THAT(calls(), HasSubstr("--echo=masked Password (login for 'work'):\n"));
  EXPECT_THAT(calls(), HasSubstr("--echo=masked The server of 'work' asks: PIN?? (login"));
  for (const char* secret : {"foo", "bar", "123"}) {
    EXPECT_THAT(calls(), Not(HasSubstr(secret)));
  }
}

TEST_F(AskPasswordTest, LeavesAQuestionToWhoIsConnected) {
  const auto agents = asking(kAnswers);
  agents->follow(question(), true);
  pass(milliseconds(800));
  EXPECT_EQ(calls(), "");
  agents->follow(question(), false);
  agents->follow(question(), true);  // within the grace
  pass(milliseconds(800));
  EXPECT_EQ(calls(), "");
}

TEST_F(AskPasswordTest, DoesNotWaitForAProgramThatIsSlowToEnd) {
  const std::string ended = (folder_ / "calls").string();
  const auto agents =
      asking("trap '' TERM\necho \"pid $$ ready\" >>" + ended + "\nwhile :; do sleep 0.02; done\n");
  agents->follow(question(), false);
  ASSERT_TRUE(run_until("ready"));
  const auto pid = static_cast<pid_t>(std::stol(calls().substr(calls().find("pid ") + 4)));
  agents->follow(question(), true);
  EXPECT_EQ(::kill(pid, 0), 0) << "it was waited for";
  const auto limit = loop_.after(milliseconds(20'000), [this] { loop_.stop(); });
  EventLoop::Handle look;
  std::function<void()> poll = [&] {
    if (::kill(pid, 0) != 0) {
      loop_.stop();
    }
    look = loop_.after(milliseconds(10), poll);
  };
  poll();
  loop_.run();
  EXPECT_NE(::kill(pid, 0), 0) << "it is ended in the end, and waited for then";
}

TEST_F(AskPasswordTest, TakesAQuestionBackAndAsksAgainWhenNeeded) {
  const std::string ended = (folder_ / "calls").string();
  const auto agents = asking("trap 'echo taken back >>" + ended + "; exit 1' TERM\necho ready >>" +
                             ended + "\nwhile :; do sleep 0.02; done\n");
  agents->follow(question(), false);
  ASSERT_TRUE(run_until("ready"));
  agents->follow(question(), true);
  EXPECT_TRUE(run_until("taken back"));
  std::filesystem::remove(folder_ / "calls");
  agents->follow(question(), false);
  ASSERT_TRUE(run_until("ready"));
  agents->follow(std::nullopt, false);
  EXPECT_TRUE(run_until("taken back"));
}

TEST_F(AskPasswordTest, DoesNotInsistWhenAPersonDeclines) {
  const auto agents = asking("exit 1\n");
  agents->follow(question(), false);
  ASSERT_TRUE(run_until("User name"));
  pass(milliseconds(100));
  std::filesystem::remove(folder_ / "calls");
  agents->follow(question(), false);
  pass(milliseconds(800));
  EXPECT_EQ(calls(), "");
  agents->follow(question(2), false);  // the next one is another
  EXPECT_TRUE(run_until("User name"));
}

TEST_F(AskPasswordTest, AsksAgainAfterAnAnswerThatWillNotDo) {
  refuse_ = 1;
  const auto agents = asking(kAnswers);
  agents->follow(question(), false);
  ASSERT_TRUE(run_until());
  ASSERT_TRUE(run_until());
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1].response, "123");
}

TEST_F(AskPasswordTest, IsSilentOnAMachineWithoutAgents) {
  const auto agents = asking(kAnswers);
  std::filesystem::remove(folder_ / "agents");
  agents->follow(question(), false);
  pass(milliseconds(800));
  EXPECT_EQ(calls(), "");
}

TEST_F(AskPasswordTest, ALineThatNeverEndsIsNoAnswer) {
  const auto agents = asking("head -c 5000 /dev/zero | tr '\\0' x\n");
  agents->follow(question(), false);
  ASSERT_TRUE(run_until("User name"));
  pass(milliseconds(300));
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace vpnrun::service
