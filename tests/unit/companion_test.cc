// SPDX-License-Identifier: GPL-2.0-or-later
// What the companion does by the clock and tells systemd: pulse, idleness, status lines.
#include "systemd/service/companion.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "systemd/service/control_server.h"
#include "systemd/service/idle_watch.h"
#include "systemd/service/os/heartbeat.h"
#include "systemd/service/os/notify.h"
#include "systemd/service/os/unix_listener.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// For what comes at once unless something is broken.
constexpr seconds kPatience{20};

/// Looks again and again until it is so. False if it is not before the patience is over.
template <class Condition>
bool comes_true(const Condition& condition) {
  const auto deadline = EventLoop::Clock::now() + kPatience;
  while (!condition()) {
    if (EventLoop::Clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

/// One thread: nobody else looks at the environment.
void set(const char* name, const std::string& value) {
  ASSERT_EQ(::setenv(name, value.c_str(), 1), 0);  // NOLINT(concurrency-mt-unsafe)
}
void unset(const char* name) {
  ASSERT_EQ(::unsetenv(name), 0);  // NOLINT(concurrency-mt-unsafe)
}

TEST(WatchdogPeriod, IsForThisProcessOnlyAndAskedOnce) {
  set("WATCHDOG_USEC", "300000");
  set("WATCHDOG_PID", std::to_string(::getpid()));
  EXPECT_EQ(watchdog_period(), std::chrono::microseconds(300000));
  EXPECT_EQ(watchdog_period(), std::nullopt);  // not for children
  set("WATCHDOG_USEC", "300000");
  set("WATCHDOG_PID", "1");
  EXPECT_EQ(watchdog_period(), std::nullopt);
  set("WATCHDOG_USEC", "0");
  EXPECT_EQ(watchdog_period(), std::nullopt);
}

/// "it_interval" of this process' one timer of CLOCK_BOOTTIME, proc_pid_fdinfo(5).
std::string interval_of_the_timer() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream lines(entry.path());
    bool is_it = false;
    for (std::string line; std::getline(lines, line);) {
      is_it = is_it || line == formatted("clockid: {}", CLOCK_BOOTTIME);
      if (is_it && line.starts_with("it_interval: ")) {
        return line.substr(line.find('('));
      }
    }
  }
  return "no timer";
}

TEST(Heartbeat, TellsTheWatchdogThreeTimesInItsPeriod) {
  const test::ScratchFolder folder;
  const std::string path = folder / "notify";
  const UniqueFd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  set("NOTIFY_SOCKET", path);
  set("WATCHDOG_USEC", "60000");
  unset("WATCHDOG_PID");
  EventLoop loop;
  int woken = 0;
  const Heartbeat heartbeat(loop, [&woken](seconds) { ++woken; });
  EXPECT_EQ(interval_of_the_timer(), "(0, 20000000)");
  int beats = 0;
  const auto heard = loop.watch(receiver.get(), EPOLLIN, [&](std::uint32_t) {
    std::array<char, 64> text{};
    EXPECT_GT(::recv(receiver.get(), text.data(), text.size(), 0), 0);
    EXPECT_STREQ(text.data(), "WATCHDOG=1");
    if (++beats == 3) {
      loop.stop();
    }
  });
  const auto end = loop.after(kPatience, [&loop] { loop.stop(); });
  loop.run();
  EXPECT_EQ(beats, 3);
  EXPECT_EQ(woken, 0);  // nobody slept
  unset("NOTIFY_SOCKET");
}

TEST(IdleWatch, CallsOnlyAfterTheWholeWhileWithoutUse) {
  EventLoop loop;
  int looks = 0;
  int looks_when_idle = 0;
  const IdleWatch watch(
      loop, seconds(1), [&looks] { return ++looks <= 3; },
      [&] {
        looks_when_idle = looks;
        loop.stop();
      });
  loop.run();
  EXPECT_GE(looks_when_idle, 5);  // three times used, then unused at two looks at least
}

TEST(IdleWatch, NeverCallsWhileUsed) {
  EventLoop loop;
  bool idle = false;
  const IdleWatch watch(
      loop, seconds(1), [] { return true; }, [&idle] { idle = true; });
  const auto end = loop.after(milliseconds(1600), [&loop] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(idle);
}

TEST(IsInhabited, ByOthersAndNotByOwnChildren) {
  const UniqueFd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(is_inhabited(own.get()));  // this process
  const UniqueFd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(is_inhabited(other.get()));  // no process has that for a namespace
  EXPECT_TRUE(is_inhabited(-1));            // unknown: rather too long than too short
}

/// The life of a process in a network namespace of its own: its main thread ends, another goes on
/// until `end` is closed. '+' to `ready` once it is inside, '-' if it cannot be.
[[noreturn]] void live_without_a_main_thread(int ready, int end) {
  const bool inside = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  const bool told = ::write(ready, inside ? "+" : "-", 1) == 1;
  if (!inside || !told) {
    ::_exit(1);
  }
  std::thread([end] {
    char none = 0;
    [[maybe_unused]] const ssize_t got = ::read(end, &none, 1);
    ::_exit(0);
  }).detach();
  ::syscall(SYS_exit, 0);  // this thread only
  ::_exit(1);
}

TEST(IsInhabited, ByAProcessWhoseMainThreadHasEnded) {
  std::array<int, 2> ready{};
  std::array<int, 2> end{};
  ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(end.data(), O_CLOEXEC), 0);
  pid_t process = 0;
  std::array<int, 2> number{};
  ASSERT_EQ(::pipe2(number.data(), O_CLOEXEC), 0);
  const pid_t between = ::fork();  // so that it is no child of ours
  if (between == 0) {
    process = ::fork();
    if (process == 0) {
      ::close(end[1]);
      live_without_a_main_thread(ready[1], end[0]);
    }
    ::_exit(::write(number[1], &process, sizeof process) == sizeof process ? 0 : 1);
  }
  ::waitpid(between, nullptr, 0);
  ASSERT_EQ(::read(number[0], &process, sizeof process), static_cast<ssize_t>(sizeof process));
  const UniqueFd life(end[1]);
  char mark = 0;
  ASSERT_EQ(::read(ready[0], &mark, 1), 1);
  if (mark != '+') {
    GTEST_SKIP() << "no user namespaces here";
  }
  std::string thread;
  const std::string folder = formatted("/proc/{}", process);
  ASSERT_TRUE(comes_true([&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/task")) {
      if (entry.path().filename() != std::to_string(process)) {
        thread = entry.path();
      }
    }
    return !thread.empty() && !std::filesystem::exists(folder + "/ns/net");
  }));
  const UniqueFd netns(::open((thread + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(netns.ok());
  EXPECT_TRUE(is_inhabited(netns.get()));
  ::kill(process, SIGKILL);
  ASSERT_TRUE(comes_true([&thread] { return !std::filesystem::exists(thread); }));
  EXPECT_FALSE(is_inhabited(netns.get()));
}

TEST(Summary, SaysWhatATunnelDoesInOneLine) {
  Status status;
  status.state = State::kUp;
  status.endpoint = "198.51.100.10:1194/udp";
  status.addresses = {"10.8.0.2/24"};
  status.dns = {"10.8.0.1"};
  EXPECT_EQ(summary(status),
            "up by 198.51.100.10:1194/udp; address 10.8.0.2/24; names by 10.8.0.1");
  status = {};
  status.state = State::kStarting;
  status.endpoint_name = "vpn.example";
  status.attempt = 3;
  status.error = "no answer\nREADY=1";
  EXPECT_EQ(summary(status), "starting, attempt 3 to vpn.example: no answer?READY=1");
  status.question = CredentialQuestion{};
  status.question->text = "user name and password for 'one'";
  EXPECT_EQ(summary(status), "starting, waiting for user name and password for 'one'");
}

TEST(RefuseCallers, EverybodyWhoWaitsIsToldWhy) {
  const test::ScratchFolder folder;
  const std::string path = folder / "control";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back().get(), reinterpret_cast<const sockaddr*>(&address),
                        sizeof address),
              0);
  }
  refuse_callers(listener.get(), Error("the profile is wrong", {}, "mend it"), milliseconds(1),
                 [] { return true; });
  for (const auto& client : clients) {
    std::array<char, 2048> text{};
    ASSERT_GT(::recv(client.get(), text.data(), text.size() - 1, 0), 0);
    const ControlReply reply = parse_reply(
        std::string_view(text.data()).substr(0, std::string_view(text.data()).find('\n')));
    EXPECT_FALSE(reply.ok);
    EXPECT_EQ(reply.error, "the profile is wrong");
    EXPECT_EQ(reply.hint, "mend it");
    EXPECT_EQ(::recv(client.get(), text.data(), text.size(), 0), 0);
  }
}

TEST(RefuseCallers, WaitsForNobodyIfNobodyCalled) {
  const test::ScratchFolder folder;
  const UniqueFd listener = listen_unix(folder / "control", {});
  const auto start = EventLoop::Clock::now();
  refuse_callers(listener.get(), Error("wrong"), std::chrono::hours(1), [] { return true; });
  EXPECT_LT(EventLoop::Clock::now() - start, std::chrono::minutes(30));
}

TEST(RefuseCallers, WaitsForThoseToComeIfSomebodyHadCalled) {
  const test::ScratchFolder folder;
  const std::string path = folder / "control";
  const UniqueFd listener = listen_unix(path, {.backlog = 4});
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  const auto call = [&address] {
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    return client;
  };
  std::string told;
  UniqueFd second;
  std::thread later([&call, &told, &second] {
    const UniqueFd first = call();
    // Until it is hung up on: the next one is not one of those that wait with it.
    pollfd hung_up{first.get(), POLLRDHUP, 0};
    EXPECT_EQ(::poll(&hung_up, 1, static_cast<int>(milliseconds(kPatience).count())), 1);
    std::array<char, 2048> text{};
    const ssize_t got = ::recv(first.get(), text.data(), text.size(), MSG_DONTWAIT);
    told.assign(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    second = call();
  });
  int asked = 0;
  refuse_callers(
      listener.get(), Error("wrong password"), std::chrono::hours(1),
      [&asked] { return ++asked == 1; }, Called::kBefore);
  later.join();
  EXPECT_NE(told.find("wrong password"), std::string::npos) << told;
  EXPECT_EQ(asked, 2);
  pollfd waiting{listener.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 1) << "what is mended is left to the next companion";
}

TEST(RefuseCallers, LeavesWhoComesAfterTheCauseIsMendedToTheNextCompanion) {
  const test::ScratchFolder folder;
  const std::string path = folder / "control";
  const UniqueFd listener = listen_unix(path, {.backlog = 4});
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  std::vector<UniqueFd> clients;
  const auto call = [&clients, &address] {
    clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(clients.back().get(), reinterpret_cast<const sockaddr*>(&address),
                     sizeof address);
  };
  ASSERT_EQ(call(), 0);
  int asked = 0;
  // Not at the answer alone: whoever calls before they are hung up on is one of them.
  pollfd hung_up{clients.front().get(), POLLRDHUP, 0};
  std::thread later([&call, &hung_up] {
    EXPECT_EQ(::poll(&hung_up, 1, static_cast<int>(milliseconds(kPatience).count())), 1);
    EXPECT_EQ(call(), 0);
  });
  refuse_callers(listener.get(), Error("wrong"), std::chrono::hours(1), [&asked] {
    ++asked;
    return false;
  });
  later.join();
  EXPECT_EQ(asked, 1);
  pollfd waiting{listener.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);  // the second is still there
}

}  // namespace
}  // namespace vpnrun::service
