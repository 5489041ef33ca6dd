// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/failing_call.h"

namespace vpnrun::service {
namespace {

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 512> buffer{};
  for (ssize_t got = ::read(fd, buffer.data(), buffer.size()); got > 0;
       got = ::read(fd, buffer.data(), buffer.size())) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

TEST(RunInChild, BringsBackTheErrorWithItsHint) {
  try {
    run_in_child({}, [] { throw Error("cannot do it", {}, "do this"); });
    FAIL() << "no error came back";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot do it");
    EXPECT_EQ(error.hint(), "do this");
  }
}

TEST(RunInChild, ChangesNothingHere) {
  int value = 1;
  run_in_child({}, [&value] { value = 2; });
  EXPECT_EQ(value, 1);
}

TEST(RunInChild, KeepsNoCapabilityAndNoDescriptorThatWasNotAskedFor) {
  const UniqueFd kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd stray(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(kept.ok() && stray.ok());
  EXPECT_NO_THROW(run_in_child({{}, {kept.get()}}, [&kept, &stray] {
    if (::fcntl(kept.get(), F_GETFD) < 0) {
      throw Error("what was asked for is closed");
    }
    if (::fcntl(stray.get(), F_GETFD) >= 0) {
      throw Error("something else is open");
    }
    std::ostringstream status;
    status << std::ifstream("/proc/self/status").rdbuf();
    const std::string text = status.str();
    for (const char* line : {"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
                             "CapInh:\t0000000000000000", "NoNewPrivs:\t1"}) {
      if (text.find(line) == std::string::npos) {
        throw Error(std::string("it is not so: ") + line);
      }
    }
  }));
}

TEST(MemoryFile, IsReadFromItsBeginningAndChangedByNobody) {
  const UniqueFd file = memory_file("test", "secret\n");
  EXPECT_EQ(read_to_end(file.get()), "secret\n");
  EXPECT_LT(::pwrite(file.get(), "x", 1, 0), 0);
  EXPECT_NE(::ftruncate(file.get(), 0), 0);
}

TEST(Pidfd, AChildThatCannotBeHeldIsNotLeftBehind) {
  run_in_child({}, [] {
    const pid_t pid = ::fork();
    if (pid == 0) {
      while (::pause() != 0) {
      }
    }
    // As if no descriptor were left, for this one call: a sanitizer needs some of its own.
    test::let_fail(SYS_pidfd_open, EMFILE);
    try {
      (void)Pidfd::of_child(pid);
    } catch (const Error& error) {
      if (error.code() != std::errc::too_many_files_open) {
        throw;
      }
      if (::kill(pid, 0) == 0) {
        throw Error("it lives on");
      }
      return;
    }
    throw Error("it is held");
  });
}

TEST(HeldChild, LivesUntilItIsLetGo) {
  std::string path;
  {
    const HeldChild child([] {});
    path = child.proc_path();
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(Spawn, GivesTheProgramNothingThatWasNotAskedFor) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  const UniqueFd output(fds[0]);
  UniqueFd input(fds[1]);
  const UniqueFd stray(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open): on purpose
  SpawnOptions options;
  options.program = "/bin/sh";
  options.arguments = {"-c", "set -- /proc/self/fd/*; echo $# $ONLY ${HOME-none}"};
  options.environment = {"ONLY=this"};
  options.output_fd = input.get();
  const Pidfd process = spawn(options);
  input.reset();
  // 0, 1, 2, and the one that the shell has open to list them
  EXPECT_EQ(read_to_end(output.get()), "4 this none\n");
  EXPECT_EQ(process.wait(), 0);
}

TEST(Spawn, ReportsAProgramThatIsNotThere) {
  SpawnOptions options;
  options.program = "/nonexistent/program";
  EXPECT_THROW((void)spawn(options), Error);
}

TEST(Pidfd, SignalsAndReportsTheEnd) {
  SpawnOptions options;
  options.program = "/bin/sleep";
  options.arguments = {"100"};
  const Pidfd process = spawn(options);
  EXPECT_TRUE(process.send_signal(SIGKILL));
  const int status = process.wait();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

}  // namespace
}  // namespace vpnrun::service
