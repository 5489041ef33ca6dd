// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/control_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/os/log_ring.h"
#include "tests/unit/old_kernel.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using testing::HasSubstr;

class ControlServerTest : public testing::Test {
 protected:
  UniqueFd connect_client() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(static_cast<char*>(address.sun_path), path_.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void send_text(const UniqueFd& fd, std::string_view text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// Lets the loop work off what is there.
  /// Several times around, whatever else the processors have to do meanwhile.
  void turn() {
    for (int i = 0; i < 5; ++i) {
      const auto end = loop_.after(std::chrono::milliseconds(10), [this] { loop_.stop(); });
      loop_.run();
    }
  }
  /// What has arrived; "closed" for an end of file.
  static std::string received(const UniqueFd& fd) {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {  // reset: it closed with bytes unread
      return "closed";
    }
    return got < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(got));
  }

  test::ScratchFolder folder_;
  std::string path_ = (folder_ / "control").string();
  EventLoop loop_;
  int orders_ = 0;
  bool admits_ = true;
  ControlServer server_{loop_, path_, UniqueFd(),
                        [this](const ControlRequest& request) {
                          if (request.command == Command::kDown) {
                            throw Error("not now", {}, "later");
                          }
                          ++orders_;
                          ControlReply reply;
                          reply.status.profile = "work";
                          return reply;
                        },
                        [this](const Peer&) { return admits_; }};
};

TEST_F(ControlServerTest, AnswersEachRequestWithOneLine) {
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"status\"}\n{\"command\":\"up\"}\n");
  turn();
  const std::string text = received(client);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_THAT(text, HasSubstr("\"profile\":\"work\""));
  EXPECT_EQ(orders_, 2);
}

/// Whoever connects as root has a companion change what the profile says; others are refused by the
/// kernel's word for who they are.
TEST_F(ControlServerTest, PortsAreOpenedForRootAlone) {
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"inbound\",\"add\":[\"tcp/51413\"]}\n");
  turn();
  if (::geteuid() == 0) {
    EXPECT_EQ(orders_, 1);
    (void)received(client);
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
    ASSERT_EQ(::chmod((folder_ / "").c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(65534), 0);
    const UniqueFd stranger = connect_client();
    ASSERT_EQ(::seteuid(0), 0);
    send_text(stranger, "{\"command\":\"inbound\",\"add\":[\"tcp/51413\"]}\n");
    turn();
    EXPECT_THAT(received(stranger), HasSubstr("only root may order that"));
    EXPECT_EQ(orders_, 1);
    send_text(stranger, "{\"command\":\"inbound\"}\n{\"command\":\"status\"}\n");
    turn();
    EXPECT_EQ(orders_, 2) << "the rest is for everybody who is admitted";
  } else {
    EXPECT_THAT(received(client), HasSubstr("only root may order that"));
    EXPECT_EQ(orders_, 0);
  }
}

TEST_F(ControlServerTest, PassesOnARefusalWithItsHint) {
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"down\"}\n");
  turn();
  EXPECT_THAT(received(client), testing::AllOf(HasSubstr("not now"), HasSubstr("later")));
}

TEST_F(ControlServerTest, SendsChangesOnlyToThoseThatFollow) {
  const UniqueFd follower = connect_client();
  const UniqueFd other = connect_client();
  send_text(follower, "{\"command\":\"status\",\"follow\":true}\n");
  send_text(other, "{\"command\":\"status\"}\n");
  turn();
  (void)received(follower);
  (void)received(other);
  Status status;
  status.state = State::kUp;
  server_.publish(status);
  turn();
  EXPECT_THAT(received(follower), HasSubstr("\"up\""));
  EXPECT_EQ(received(other), "");
}

TEST_F(ControlServerTest, OnlyWhoSaidHelloIsToldWhatTheFirstVersionDidNotKnow) {
  const UniqueFd greeted = connect_client();
  const UniqueFd strict = connect_client();
  const std::string follow = "{\"command\":\"status\",\"follow\":true}\n";
  const std::string unknown = "{\"command\":\"up\",\"server\":\"x\"}\n";
  send_text(greeted, "{\"command\":\"hello\"}\n" + follow + unknown);
  send_text(strict, follow + unknown);
  turn();
  const std::string told = received(greeted);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 3);
  EXPECT_THAT(told, HasSubstr("\"features\":[\"answer\",\"asks\",\"follow\""));
  EXPECT_THAT(told, HasSubstr("\"version\":\"" VPNRUN_VERSION "\""));
  EXPECT_THAT(told, HasSubstr("\"unknown\":\"server\""));
  const std::string first = received(strict);
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 2);
  EXPECT_THAT(first, HasSubstr("unknown member 'server'"));
  EXPECT_THAT(first, testing::Not(testing::ContainsRegex("features|version|\"unknown\"")));
  Status status;
  status.state = State::kUp;
  server_.publish(status);
  turn();
  EXPECT_THAT(received(greeted), HasSubstr("features"));
  EXPECT_THAT(received(strict),
              testing::AllOf(HasSubstr("\"up\""), testing::Not(HasSubstr("features"))));
}

TEST_F(ControlServerTest, SaysWhatIsWrongWithNonsenseAndGoesOn) {
  const UniqueFd client = connect_client();
  send_text(client, "nonsense\n{\"command\":\"status\"}\n");
  turn();
  const std::string text = received(client);
  EXPECT_THAT(text, HasSubstr("\"ok\":false"));
  EXPECT_THAT(text, HasSubstr("\"ok\":true"));
}

TEST_F(ControlServerTest, ClosesOnALineWithoutEnd) {
  const UniqueFd client = connect_client();
  send_text(client, std::string(kControlLineMax + 100, 'x'));
  turn();
  EXPECT_EQ(received(client), "closed");
}

TEST_F(ControlServerTest, DropsAFollowerThatDoesNotReadAndServesTheOthers) {
  const UniqueFd sleeper = connect_client();
  send_text(sleeper, "{\"command\":\"status\",\"follow\":true}\n");
  turn();
  Status status;
  status.error = std::string(10000, 'e');
  constexpr std::size_t kTimes = 100;
  for (std::size_t i = 0; i < kTimes; ++i) {
    server_.publish(status);
  }
  turn();
  // What the kernel took, and then the end.
  std::size_t kept = 0;
  std::string text = received(sleeper);
  for (; !text.empty() && text != "closed"; text = received(sleeper)) {
    kept += text.size();
  }
  EXPECT_EQ(text, "closed");
  EXPECT_LT(kept, kTimes * status.error.size());
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(client), HasSubstr("\"ok\":true"));
}

/// In a process of an ordinary user's: connects `count` times, asks on each connection, writes how
/// many were answered to `result`, and holds them until `release` ends.
[[noreturn]] void crowd_of_one(const std::string& path, int count, int result, int release) {
  if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) {
    ::_exit(1);
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  constexpr std::string_view kQuestion = "{\"command\":\"status\"}\n";
  char answered = 0;
  for (int i = 0; i < count; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);  // held until the process ends
    char byte = 0;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::send(fd, kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) > 0 &&
        ::recv(fd, &byte, 1, 0) == 1) {
      ++answered;
    }
  }
  char none = 0;
  ::_exit(::write(result, &answered, 1) == 1 && ::read(release, &none, 1) == 0 ? 0 : 1);
}

TEST_F(ControlServerTest, TakesTwelveConnectionsOfOneUserAndServesOthers) {
  std::array<int, 2> result{};
  std::array<int, 2> release{};
  ASSERT_EQ(::pipe2(result.data(), O_NONBLOCK | O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(release.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::chmod((folder_ / ".").c_str(), 0711), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::close(release[1]);
    crowd_of_one(path_, 20, result[1], release[0]);
  }
  (void)::close(result[1]);
  char answered = 0;
  bool is_out = false;
  auto told = loop_.watch(result[0], EPOLLIN, [&](std::uint32_t) {
    is_out = ::read(result[0], &answered, 1) == 1;
    loop_.stop();
  });
  loop_.run();
  told.reset();
  ASSERT_TRUE(is_out);
  EXPECT_EQ(answered, 12);
  if (::getuid() == 0) {  // otherwise we are that user, too
    const UniqueFd root = connect_client();
    send_text(root, "{\"command\":\"status\"}\n");
    turn();
    EXPECT_THAT(received(root), HasSubstr("\"ok\":true"));
  }
  (void)::close(release[1]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  turn();
  const UniqueFd later = connect_client();
  send_text(later, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(later), HasSubstr("\"ok\":true"));
}

TEST_F(ControlServerTest, RefusesACrowdButNotForEver) {
  {
    std::vector<UniqueFd> crowd;
    for (int i = 0; i < 70; ++i) {
      crowd.push_back(connect_client());
      turn();
    }
    EXPECT_EQ(received(crowd.back()), "closed");
  }
  turn();
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(client), HasSubstr("\"ok\":true"));
}

TEST_F(ControlServerTest, LeavesAnotherListenersSocketWhereItIs) {
  const auto handler = [](const ControlRequest&) { return ControlReply(); };
  const std::string path = (folder_ / "other").string();
  std::optional<ControlServer> first(std::in_place, loop_, path, UniqueFd(), handler);
  std::optional<ControlServer> second(std::in_place, loop_, path, UniqueFd(), handler);
  first.reset();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  second.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(ControlServerTest, KnowsWhetherSomebodyCanBeAsked) {
  int changes = 0;
  server_.on_askers([&changes] { ++changes; });
  const UniqueFd silent = connect_client();
  send_text(silent, "{\"command\":\"up\",\"follow\":true}\n");
  const UniqueFd passing = connect_client();
  send_text(passing, "{\"command\":\"status\",\"asks\":true}\n");
  turn();
  EXPECT_FALSE(server_.somebody_asks());
  UniqueFd asking = connect_client();
  send_text(asking, "{\"command\":\"up\",\"follow\":true,\"asks\":true}\n");
  turn();
  EXPECT_TRUE(server_.somebody_asks());
  send_text(asking, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_TRUE(server_.somebody_asks());
  changes = 0;
  asking.reset();
  turn();
  EXPECT_FALSE(server_.somebody_asks());
  EXPECT_GT(changes, 0);
}

// --- who is admitted ---

TEST_F(ControlServerTest, TakesNoOrderFromWhoIsNotAdmittedAnyMore) {
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(client), HasSubstr("\"ok\":true"));
  admits_ = false;
  send_text(client, "{\"command\":\"up\"}\n{\"command\":\"status\"}\n");
  turn();
  EXPECT_EQ(orders_, 1) << "the first question, and nothing after it";
  const std::string said = received(client);
  EXPECT_THAT(said, testing::AllOf(HasSubstr("no longer admits you"), HasSubstr("hint")));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_EQ(received(client), "closed");
}

TEST_F(ControlServerTest, TellsNothingToAFollowerWhoIsNotAdmittedAnyMore) {
  const UniqueFd follower = connect_client();
  send_text(follower, "{\"command\":\"up\",\"follow\":true,\"asks\":true}\n");
  turn();
  (void)received(follower);
  EXPECT_TRUE(server_.somebody_asks());
  admits_ = false;
  Status status;
  status.endpoint = "198.51.100.10";
  server_.publish(status);
  EXPECT_FALSE(server_.somebody_asks());
  turn();
  EXPECT_THAT(received(follower), testing::Not(HasSubstr("198.51.100.10")));
  EXPECT_EQ(received(follower), "closed");
  EXPECT_FALSE(server_.has_callers());
}

TEST_F(ControlServerTest, HangsUpOnWhoIsNotAdmittedAnyMoreAndSaysNothing) {
  const UniqueFd idle = connect_client();
  turn();
  admits_ = false;
  for (int turns = 0; server_.has_callers() && turns < 400; ++turns) {
    turn();
  }
  EXPECT_THAT(received(idle), HasSubstr("no longer admits you"));
  EXPECT_EQ(received(idle), "closed");
}

TEST_F(ControlServerTest, KeepsWhoIsStillAdmittedWhenTheFolderChanges) {
  const UniqueFd client = connect_client();
  turn();
  ASSERT_EQ(::chmod((folder_ / ".").c_str(), 0711), 0);
  turn();
  send_text(client, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(client), HasSubstr("\"ok\":true"));
}

// --- the log ---

class LogTest : public ControlServerTest {
 protected:
  LogTest() {
    server_.serve_log([this](std::uint64_t after) {
      std::vector<LogLine> lines;
      for (auto& entry : ring_.after(after, 16384)) {
        lines.push_back({entry.number, entry.time, std::string(entry.level), entry.text});
      }
      return lines;
    });
  }
  void tell(const std::string& text) {
    ring_.add(1, "info", text);
    server_.log_grew();
  }
  /// Connected, and has said hello.
  UniqueFd reader(const std::string& request) {
    UniqueFd client = connect_client();
    send_text(client, "{\"command\":\"hello\"}\n" + request + "\n");
    turn();
    return client;
  }
  /// All replies that come, without the greeting. Ends when nothing more comes.
  std::vector<ControlReply> replies(const UniqueFd& client) {
    std::string text;
    for (std::string more = received(client); !more.empty() && more != "closed";
         more = received(client)) {
      text += more;
      turn();
    }
    std::vector<ControlReply> list;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      list.push_back(parse_reply(text.substr(0, end)));
      text.erase(0, end + 1);
    }
    EXPECT_EQ(text, "");
    return list;
  }

  LogRing ring_;
};

constexpr const char* kReadLog = R"({"command":"log"})";
constexpr const char* kFollowLog = R"({"command":"log","follow":true})";

TEST_F(LogTest, IsGivenInPagesToWhoHasSaidHello) {
  for (int i = 0; i < 40; ++i) {
    ring_.add(7, "warning", std::string(1000, 'x'));
  }
  const UniqueFd client = reader(kReadLog);
  auto got = replies(client);
  ASSERT_EQ(got.size(), 2U);
  ASSERT_TRUE(got[1].log);
  EXPECT_EQ(got[1].log->front(), (LogLine{1, 7, "warning", std::string(1000, 'x')}));
  EXPECT_EQ(got[1].status.profile, "work");
  std::uint64_t last = got[1].log->back().number;
  EXPECT_LT(last, 40U) << "not all of it fits into a reply";
  while (!got.back().log->empty()) {
    last = got.back().log->back().number;
    send_text(client, R"({"command":"log","after":)" + std::to_string(last) + "}\n");
    turn();
    got = replies(client);
    ASSERT_EQ(got.size(), 1U);
  }
  EXPECT_EQ(last, 40U);
  const UniqueFd strict = connect_client();
  send_text(strict, std::string(kReadLog) + "\n");
  turn();
  const std::string refused = received(strict);
  EXPECT_THAT(refused, HasSubstr("'log' comes after 'hello'"));
  EXPECT_THAT(refused, testing::Not(HasSubstr("xxx")));
}

TEST_F(LogTest, WhoFollowsItGetsNewLinesAndNoChangesOfState) {
  ring_.add(1, "info", "old");
  const UniqueFd client = reader(kFollowLog);
  auto got = replies(client);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].log->front().text, "old");
  server_.publish(Status());
  tell("new");
  tell("newer");
  turn();
  got = replies(client);
  ASSERT_EQ(got.size(), 1U) << "what comes in one turn is one reply";
  ASSERT_EQ(got[0].log->size(), 2U);
  EXPECT_EQ(got[0].log->back().text, "newer");
}

TEST_F(LogTest, WhoDoesNotReadHoldsNobodyUpAndHasNothingQueuedForHim) {
  const UniqueFd sleeper = reader(kFollowLog);
  const UniqueFd other = reader(kFollowLog);
  (void)replies(other);
  constexpr std::size_t kLines = 1000;  // more than a megabyte
  std::size_t heard = 0;
  for (std::size_t i = 1; i <= kLines; ++i) {
    tell(std::string(1500, 'x') + std::to_string(i));
    if (i % 20 == 0) {
      turn();
      for (const ControlReply& reply : replies(other)) {
        heard += reply.log->size();
      }
    }
  }
  turn();
  EXPECT_EQ(heard, kLines) << "whoever reads gets all";
  std::size_t bytes = 0;
  const auto late = replies(sleeper);
  ASSERT_GT(late.size(), 1U);
  for (const ControlReply& reply : late) {
    for (const LogLine& line : reply.log.value_or(std::vector<LogLine>())) {
      bytes += line.text.size();
    }
  }
  EXPECT_LT(bytes, kLines * 1500 / 2) << "what the kernel had taken, and what is still kept";
  EXPECT_THAT(late.back().log->back().text, testing::EndsWith(std::to_string(kLines)))
      << "he is not hung up on, and goes on with what there is";
}

TEST_F(LogTest, WhoIsNotAdmittedAnyMoreGetsNoLine) {
  const UniqueFd client = reader(kFollowLog);
  (void)replies(client);
  admits_ = false;
  tell("not for him");
  turn();
  const std::string said = received(client);
  EXPECT_THAT(said, HasSubstr("no longer admits you"));
  EXPECT_THAT(said, testing::Not(HasSubstr("not for him")));
  EXPECT_EQ(received(client), "closed");
}

TEST_F(LogTest, ReadingItIsNoUseOfTheTunnel) {
  const UniqueFd reading = reader(kFollowLog);
  EXPECT_TRUE(server_.has_callers());
  EXPECT_FALSE(server_.is_used());
  send_text(reading, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_FALSE(server_.is_used());
  send_text(reading, "{\"command\":\"up\"}\n");
  turn();
  EXPECT_TRUE(server_.is_used());
}

TEST_F(ControlServerTest, WithoutALogThereIsNone) {
  const UniqueFd client = connect_client();
  send_text(client, "{\"command\":\"hello\"}\n{\"command\":\"log\",\"follow\":true}\n");
  turn();
  EXPECT_THAT(received(client), HasSubstr("there is no log"));
}

// --- what somebody may cost ---

class SpendingTest : public ControlServerTest {
 protected:
  /// Root may spend what it likes; so these belong to somebody else where root runs the test.
  UniqueFd connect_person() {
    EXPECT_EQ(::chmod((folder_ / ".").c_str(), 0711), 0);
    constexpr uid_t kPerson = 4001;
    const bool is_root = ::geteuid() == 0;
    EXPECT_EQ(is_root ? ::seteuid(kPerson) : 0, 0);
    UniqueFd fd = connect_client();
    EXPECT_EQ(is_root ? ::seteuid(0) : 0, 0);
    return fd;
  }
  int changes_ = 0;
  std::string path_of_orders_ = (folder_ / "orders").string();
  ControlServer orders_server_{loop_, path_of_orders_, UniqueFd(),
                               [this](const ControlRequest& request) {
                                 if (request.command == Command::kRestart) {
                                   ++changes_;
                                   orders_server_.publish(Status());
                                 }
                                 return ControlReply();
                               },
                               [](const Peer&) { return true; }};
};

TEST_F(SpendingTest, WorksOffOrdersThatChangeSomethingNoFasterThanAShareAllows) {
  path_ = path_of_orders_;
  const UniqueFd eager = connect_person();
  std::string orders;
  for (int i = 0; i < 60; ++i) {
    orders += "{\"command\":\"restart\"}\n";
  }
  send_text(eager, orders);
  turn();
  const int at_once = changes_;
  EXPECT_GE(at_once, 5) << "a few in a row are not a flood";
  EXPECT_LE(at_once, 20);
  // Nobody else is made to wait, and what is left is not lost.
  const UniqueFd root = connect_client();
  if (::geteuid() == 0) {
    send_text(root, "{\"command\":\"status\"}\n");
    turn();
    EXPECT_THAT(received(root), HasSubstr("\"ok\":true"));
  }
  for (int turns = 0; changes_ == at_once && turns < 400; ++turns) {
    turn();
  }
  EXPECT_GT(changes_, at_once) << "the next one, in its time";
}

TEST_F(SpendingTest, AnswersQuestionsByTheHundred) {
  path_ = path_of_orders_;
  const UniqueFd curious = connect_person();
  int answers = 0;
  for (int round = 0; round < 5; ++round) {
    std::string questions;
    for (int i = 0; i < 100; ++i) {
      questions += "{\"command\":\"status\"}\n";
    }
    send_text(curious, questions);
    turn();
    const std::string text = received(curious);
    answers += static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  EXPECT_EQ(answers, 500);
}

// --- what arrives besides ---

/// Fills a TCP connection, so that its last close waits, and sends it out of band. False if the
/// kernel refuses it.
bool give_what_lingers(int socket_fd) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  UniqueFd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), plain, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), plain, &size), 0);
  EXPECT_EQ(::connect(full.get(), plain, size), 0);
  const std::string much(65536, 'x');
  while (::send(full.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
  }
  const linger setting{1, 100000};
  EXPECT_EQ(::setsockopt(full.get(), SOL_SOCKET, SO_LINGER, &setting, sizeof setting), 0);
  (void)listener.release();  // its other end stays for as long as the test
  char byte = '!';
  iovec part{&byte, 1};
  const int fd = full.get();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  const bool sent = ::sendmsg(socket_fd, &message, MSG_OOB | MSG_NOSIGNAL) == 1;
  if (!sent) {
    (void)full.release();  // to close it here would wait as well
  }
  return sent;
}

/// By the socket that systemd made: these connect, and send, before there is a companion.
class StartedByASocket : public ControlServerTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      ASSERT_TRUE(test::without_pass_rights());
    }
  }
};

// Killed by the alarm if the server waits.
TEST_P(StartedByASocket, ServesOthersWhileWhatTheFirstOneSentCannotBeClosed) {
  path_ = (folder_ / "made-by-another").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(static_cast<char*>(address.sun_path), path_.size());
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 10), 0);
  const UniqueFd first = connect_client();
  ASSERT_TRUE(give_what_lingers(first.get()));
  send_text(first, "{\"command\":\"status\"}\n");
  (void)::alarm(20);
  ControlServer server(loop_, path_, std::move(listener),
                       [](const ControlRequest&) { return ControlReply(); });
  const UniqueFd second = connect_client();
  send_text(second, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(second), HasSubstr("\"ok\":true"));
  EXPECT_EQ(received(first), "closed");
  const UniqueFd third = connect_client();
  turn();
  if (give_what_lingers(third.get())) {
    EXPECT_TRUE(GetParam()) << "a kernel that can refuse it does";
    send_text(third, "{\"command\":\"status\"}\n");
    turn();
    EXPECT_EQ(received(third), "closed");
  }
  send_text(second, "{\"command\":\"status\"}\n");
  turn();
  EXPECT_THAT(received(second), HasSubstr("\"ok\":true"));
  (void)::alarm(0);
}

INSTANTIATE_TEST_SUITE_P(Kernels, StartedByASocket, testing::Bool(),
                         [](const auto& old) { return old.param ? "Before616" : "ThisKernel"; });

}  // namespace
}  // namespace vpnrun::service
