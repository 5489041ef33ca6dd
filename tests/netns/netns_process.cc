// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/netns_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "profiles/base/error.h"
#include "profiles/base/format.h"
#include "systemd/service/netlink/scoped_netns.h"

namespace vpnrun::test {
namespace {

constexpr int kSkipped = 77;

bool write_file(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file.ok() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<::ssize_t>(text.size());
}

/// One id is enough, and all that an ordinary user may map.
bool become_root_of_new_namespaces() {
  const ::uid_t uid = ::geteuid();
  const ::gid_t gid = ::getegid();
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
         write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", formatted("0 {} 1", uid)) &&
         write_file("/proc/self/gid_map", formatted("0 {} 1", gid));
}

[[noreturn]] void skip(int reason_fd, const std::string& reason) {
  // Without its reason it is a skip all the same.
  [[maybe_unused]] const auto written = ::write(reason_fd, reason.data(), reason.size());
  std::exit(kSkipped);  // NOLINT(concurrency-mt-unsafe): one thread
}

[[noreturn]] void run_child(const std::function<void()>& body, int reason_fd) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!become_root_of_new_namespaces()) {
    skip(reason_fd, "user namespaces are refused here; 'unshare -rn true' shows it");
  }
  try {
    body();
  } catch (const Skipped& reason) {
    skip(reason_fd, reason.what());
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  (void)std::fflush(stdout);
  // exit, not _exit: leaks are reported on the way out.
  std::exit(testing::Test::HasFailure() ? 1 : 0);  // NOLINT(concurrency-mt-unsafe): one thread
}

}  // namespace

void run_isolated(const std::function<void()>& body) {
  (void)std::fflush(stdout);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    run_child(body, writer.get());
  }
  writer.reset();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) {
    std::array<char, 256> reason{};
    [[maybe_unused]] const auto size = ::read(reader.get(), reason.data(), reason.size() - 1);
    GTEST_SKIP() << reason.data();
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "the isolated part failed, wait status " << status;
}

Netns::Netns() {
  const UniqueFd home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home.ok() || ::unshare(CLONE_NEWNET) != 0) {
    throw_errno("cannot make a network namespace");
  }
  fd_.reset(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (::setns(home.get(), CLONE_NEWNET) != 0 || !fd_.ok()) {
    throw_errno("cannot come back from a new network namespace");
  }
}

void Netns::run(const std::function<void()>& body) const {
  const netlink::ScopedNetns inside(fd_.get());
  body();
}

}  // namespace vpnrun::test
